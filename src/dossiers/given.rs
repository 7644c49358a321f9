//! What may be said of a patient: each field with its plausible bounds, refused by its name outside them.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::store::{SessionId, clinical::Change};

/// A context that is made or changed: what is absent stays, null clears.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ClinicalContextChange")]
pub struct Given {
    /// The conversation it is for; null: all that have none of their own.
    #[serde(default, deserialize_with = "given")]
    session_id: Option<Option<SessionId>>,
    #[serde(default, deserialize_with = "given")]
    #[schemars(range(min = 0, max = 130))]
    age: Option<Option<i64>>,
    #[serde(default, deserialize_with = "given")]
    #[schemars(length(min = 1, max = GENDER))]
    gender: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schemars(range(min = 0, max = 700))]
    weight_kg: Option<Option<f64>>,
    #[serde(default, deserialize_with = "given")]
    #[schemars(range(min = 0, max = 300))]
    height_cm: Option<Option<f64>>,
    #[serde(default, deserialize_with = "given")]
    #[schemars(length(min = 1, max = COMPLAINT))]
    chief_complaint: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schemars(length(max = ENTRIES))]
    problems: Option<Option<Vec<String>>>,
    #[serde(default, deserialize_with = "given")]
    #[schemars(length(max = ENTRIES))]
    medications: Option<Option<Vec<String>>>,
    #[serde(default, deserialize_with = "given")]
    #[schemars(length(max = ENTRIES))]
    allergies: Option<Option<Vec<String>>>,
    #[serde(default, deserialize_with = "given")]
    vitals: Option<Option<Vitals>>,
}

/// What was measured.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "VitalsChange")]
struct Vitals {
    #[serde(default, deserialize_with = "given")]
    #[schemars(range(min = 20, max = 46))]
    temperature: Option<Option<f64>>,
    #[serde(default, deserialize_with = "given")]
    #[schemars(range(min = 0, max = 350))]
    heart_rate: Option<Option<i64>>,
    #[serde(default, deserialize_with = "given")]
    blood_pressure: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schemars(range(min = 0, max = 120))]
    respiratory_rate: Option<Option<i64>>,
    #[serde(default, deserialize_with = "given")]
    #[schemars(range(min = 0, max = 100))]
    spo2: Option<Option<f64>>,
}

impl Given {
    /// The same, once all of it is seen to be plausible.
    ///
    /// # Errors
    /// What is not, by its name.
    pub fn checked(self) -> Result<Change, Implausible> {
        let mut facts = Members::default();
        facts.set("age", self.age, whole(0..=130, " years"))?;
        facts.set("gender", self.gender, short(GENDER))?;
        facts.set("weight_kg", self.weight_kg, number(0.0..=700.0, " kg"))?;
        facts.set("height_cm", self.height_cm, number(0.0..=300.0, " cm"))?;
        facts.set("chief_complaint", self.chief_complaint, long(COMPLAINT))?;
        facts.set("problems", self.problems, list)?;
        facts.set("medications", self.medications, list)?;
        facts.set("allergies", self.allergies, list)?;
        facts.set("vitals", self.vitals, Vitals::checked)?;
        Ok(Change { session: self.session_id, facts: facts.0, lists: Vec::new() })
    }
}

impl Vitals {
    fn checked(self) -> Result<Value, Wrong> {
        let mut members = Members::default();
        members.put("temperature", self.temperature, number(20.0..=46.0, " °C"))?;
        members.put("heart_rate", self.heart_rate, whole(0..=350, " beats a minute"))?;
        members.put("blood_pressure", self.blood_pressure, pressure)?;
        members.put("respiratory_rate", self.respiratory_rate, whole(0..=120, " breaths a minute"))?;
        members.put("spo2", self.spo2, number(0.0..=100.0, " percent"))?;
        Ok(Value::Object(members.0))
    }
}

/// A value that cannot be. It says nothing of what was given.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{field}` must {must}")]
pub struct Implausible {
    /// Which: `vitals.spo2`.
    pub field: String,
    /// What it must do.
    pub must: String,
}

/// What is wrong with a value: where within it, and what it must be.
struct Wrong {
    within: String,
    must: String,
}

impl Wrong {
    fn new(must: impl Into<String>) -> Self {
        Self { within: String::new(), must: must.into() }
    }
}

/// The members of an object that change.
#[derive(Default)]
struct Members(Map<String, Value>);

impl Members {
    fn set<T>(
        &mut self,
        name: &str,
        given: Option<Option<T>>,
        check: impl FnOnce(T) -> Result<Value, Wrong>,
    ) -> Result<(), Implausible> {
        self.put(name, given, check).map_err(|Wrong { within, must }| {
            let field = within.trim_start_matches('.').to_owned();
            Implausible { field, must }
        })
    }

    fn put<T>(
        &mut self,
        name: &str,
        given: Option<Option<T>>,
        check: impl FnOnce(T) -> Result<Value, Wrong>,
    ) -> Result<(), Wrong> {
        let Some(given) = given else { return Ok(()) };
        let value = given.map(check).transpose();
        let value = value.map_err(|wrong| Wrong { within: format!(".{name}{}", wrong.within), ..wrong })?;
        self.0.insert(name.to_owned(), value.unwrap_or(Value::Null));
        Ok(())
    }
}

/// For a field that may be absent, null or there: null is `Some(None)`.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

fn whole(bounds: RangeInclusive<i64>, unit: &str) -> impl FnOnce(i64) -> Result<Value, Wrong> {
    move |value| {
        let (least, most) = (bounds.start(), bounds.end());
        let must = || Wrong::new(format!("be a whole number from {least} to {most}{unit}"));
        if bounds.contains(&value) { Ok(value.into()) } else { Err(must()) }
    }
}

fn number(bounds: RangeInclusive<f64>, unit: &str) -> impl FnOnce(f64) -> Result<Value, Wrong> {
    move |value| {
        let (least, most) = (bounds.start(), bounds.end());
        let must = || Wrong::new(format!("be a number from {least} to {most}{unit}"));
        if bounds.contains(&value) { Ok(value.into()) } else { Err(must()) }
    }
}

/// One line of text.
fn short(most: usize) -> impl FnOnce(String) -> Result<Value, Wrong> {
    text(most, |_| false)
}

/// Text that may have several lines.
fn long(most: usize) -> impl FnOnce(String) -> Result<Value, Wrong> {
    text(most, |c| matches!(c, '\n' | '\r' | '\t'))
}

fn text(most: usize, takes: fn(char) -> bool) -> impl FnOnce(String) -> Result<Value, Wrong> {
    move |text| {
        let text = text.trim();
        let fits = (1..=most).contains(&text.chars().count());
        let fits = fits && !text.contains(|c: char| c.is_control() && !takes(c));
        let must = || Wrong::new(format!("have 1 to {most} printable characters"));
        if fits { Ok(text.into()) } else { Err(must()) }
    }
}

fn list(entries: Vec<String>) -> Result<Value, Wrong> {
    if entries.len() > ENTRIES {
        return Err(Wrong::new(format!("have at most {ENTRIES} entries")));
    }
    let entry = |(at, entry): (usize, String)| {
        short(ENTRY)(entry).map_err(|wrong| Wrong { within: format!("[{at}]{}", wrong.within), ..wrong })
    };
    entries.into_iter().enumerate().map(entry).collect::<Result<_, _>>().map(Value::Array)
}

/// `120/80`: mmHg.
fn pressure(text: String) -> Result<Value, Wrong> {
    let must = || {
        let ((least, most), (low, high)) = ((SYSTOLIC.start(), SYSTOLIC.end()), (DIASTOLIC.start(), DIASTOLIC.end()));
        Wrong::new(format!(
            "be systolic over diastolic pressure in mmHg, as in 120/80: {least} to {most} over {low} to {high}, the first \
             the higher"
        ))
    };
    let part = |text: &str| text.trim().parse::<u32>().ok();
    let parts = text.split_once('/').and_then(|(over, under)| Some((part(over)?, part(under)?)));
    let fits = |(over, under): &(u32, u32)| SYSTOLIC.contains(over) && DIASTOLIC.contains(under) && over > under;
    let (over, under) = parts.filter(fits).ok_or_else(must)?;
    Ok(format!("{over}/{under}").into())
}

/// Characters of a gender, in whatever words.
const GENDER: usize = 50;
/// Characters of a chief complaint.
const COMPLAINT: usize = 1_000;
/// Entries of a list, and characters of one.
const ENTRIES: usize = 50;
const ENTRY: usize = 200;
/// Blood pressures that were measured in the living, in mmHg, with room to spare.
const SYSTOLIC: RangeInclusive<u32> = 30..=350;
const DIASTOLIC: RangeInclusive<u32> = 10..=250;
