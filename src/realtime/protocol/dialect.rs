//! Which shape of the protocol a client speaks.

/// The shapes. They differ in names and in how objects nest; what is behind the edge knows neither.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Dialect {
    /// That of general availability.
    #[default]
    Ga,
    /// The one before it, which older applications and Azure's dated API versions speak: see [`beta`](super::beta).
    Beta,
}

impl Dialect {
    /// What the values of a request's `OpenAI-Beta` headers ask for. They list features; others' are not our business.
    pub fn of_header<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let mut features = values.into_iter().flat_map(|list| list.split(',')).map(str::trim);
        if features.any(|feature| feature == FEATURE) { Self::Beta } else { Self::Ga }
    }

    /// This one, unless the other is the beta: who asks for that anywhere means it.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match self {
            Self::Ga => other,
            Self::Beta => self,
        }
    }
}

const FEATURE: &str = "realtime=v1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beta_is_asked_for_among_other_features() {
        assert_eq!(Dialect::of_header(["assistants=v2, realtime=v1"]), Dialect::Beta);
        assert_eq!(Dialect::of_header(["assistants=v2", "realtime=v1"]), Dialect::Beta);
        assert_eq!(Dialect::of_header(["assistants=v2", "realtime=v2", ""]), Dialect::Ga);
        assert_eq!(Dialect::of_header([]), Dialect::Ga);
    }
}
