//! Units of measure by the names they are spoken with, and what they come to in their dimension's base unit.
//!
//! Factors are exact by definition: the international yard and pound (1959), the US gallon, SI prefixes, and the binary
//! prefixes of IEC 80000-13 under their own names ("kibibyte"); a kilobyte is 1000 bytes.

use super::{
    super::heard::{Word, lead},
    Number,
};

/// What a unit measures. The base unit is in brackets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) enum Dimension {
    /// (metre)
    Length,
    /// (gram)
    Mass,
    /// (millilitre)
    Volume,
    /// (square metre)
    Area,
    /// (second)
    Time,
    /// (metre per second)
    Speed,
    /// (byte)
    Data,
    /// (kelvin, with an offset)
    Temperature,
}

impl Dimension {
    pub(in super::super) const fn name(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Mass => "weight",
            Self::Volume => "volume",
            Self::Area => "area",
            Self::Time => "time",
            Self::Speed => "speed",
            Self::Data => "data",
            Self::Temperature => "temperature",
        }
    }
}

/// One unit.
#[derive(PartialEq, Eq, Debug)]
pub(in super::super) struct Unit {
    pub(in super::super) dimension: Dimension,
    /// One of it in base units, as a fraction.
    factor: (i128, i128),
    /// What zero of it is in base units, as a fraction.
    zero: (i128, i128),
    /// Spoken names: singular, plural, then others.
    names: &'static [&'static str],
}

impl Unit {
    /// The name that goes with an amount.
    pub(in super::super) fn name(&self, amount: Number) -> &'static str {
        if amount == Number::whole(1) { self.names[0] } else { self.names[1] }
    }

    /// So much of this unit in another one. `None` if they measure different things.
    pub(in super::super) fn convert(&self, amount: Number, to: &Self) -> Option<Number> {
        let ratio = |(top, bottom)| Number::ratio(top, bottom);
        if self.dimension != to.dimension {
            return None;
        }
        let base = amount.times(ratio(self.factor)?).plus(ratio(self.zero)?);
        base.minus(ratio(to.zero)?).over(ratio(to.factor)?)
    }
}

/// Every unit whose name stands at the start, and how many words the longest name takes.
pub(in super::super) fn read(words: &[Word]) -> Option<(Vec<&'static Unit>, usize)> {
    let fits = |unit: &'static Unit| Some((unit, unit.names.iter().filter_map(|name| lead(words, name)).max()?));
    let found: Vec<_> = UNITS.iter().filter_map(fits).collect();
    let longest = found.iter().map(|(_, count)| *count).max()?;
    Some((found.into_iter().filter(|(_, count)| *count == longest).map(|(unit, _)| unit).collect(), longest))
}

const fn unit(dimension: Dimension, top: i128, bottom: i128, names: &'static [&'static str]) -> Unit {
    Unit { dimension, factor: (top, bottom), zero: (0, 1), names }
}

use Dimension::{Area, Data, Length, Mass, Speed, Temperature, Time, Volume};

#[rustfmt::skip]
static UNITS: &[Unit] = &[
    unit(Length, 1, 1_000, &["millimeter", "millimeters", "millimetre", "millimetres", "mm"]),
    unit(Length, 1, 100, &["centimeter", "centimeters", "centimetre", "centimetres", "cm"]),
    unit(Length, 1, 1, &["meter", "meters", "metre", "metres", "m"]),
    unit(Length, 1_000, 1, &["kilometer", "kilometers", "kilometre", "kilometres", "km", "kms"]),
    unit(Length, 254, 10_000, &["inch", "inches"]),
    unit(Length, 3_048, 10_000, &["foot", "feet", "ft"]),
    unit(Length, 9_144, 10_000, &["yard", "yards", "yd", "yds"]),
    unit(Length, 1_609_344, 1_000, &["mile", "miles", "mi"]),
    unit(Length, 1_852, 1, &["nautical mile", "nautical miles"]),
    unit(Mass, 1, 1_000, &["milligram", "milligrams", "mg"]),
    unit(Mass, 1, 1, &["gram", "grams", "gramme", "grammes", "g"]),
    unit(Mass, 1_000, 1, &["kilogram", "kilograms", "kilo", "kilos", "kg", "kgs"]),
    unit(Mass, 1_000_000, 1, &["metric ton", "metric tons", "tonne", "tonnes"]),
    unit(Mass, 45_359_237, 100_000, &["pound", "pounds", "lb", "lbs"]),
    unit(Mass, 45_359_237, 1_600_000, &["ounce", "ounces", "oz"]),
    unit(Mass, 45_359_237 * 14, 100_000, &["stone", "stone", "stones"]),
    unit(Mass, 45_359_237 * 2_000, 100_000, &["ton", "tons", "us ton", "us tons"]),
    unit(Volume, 1, 1, &["milliliter", "milliliters", "millilitre", "millilitres", "ml", "cubic centimeter", "cubic centimeters"]),
    unit(Volume, 10, 1, &["centiliter", "centiliters", "centilitre", "centilitres", "cl"]),
    unit(Volume, 1_000, 1, &["liter", "liters", "litre", "litres", "l"]),
    unit(Volume, 1_000_000, 1, &["cubic meter", "cubic meters", "cubic metre", "cubic metres"]),
    unit(Volume, 3_785_411_784, 1_000_000, &["gallon", "gallons", "gal", "us gallon", "us gallons"]),
    unit(Volume, 3_785_411_784, 4_000_000, &["quart", "quarts"]),
    unit(Volume, 3_785_411_784, 8_000_000, &["pint", "pints"]),
    unit(Volume, 3_785_411_784, 16_000_000, &["cup", "cups"]),
    unit(Volume, 3_785_411_784, 128_000_000, &["fluid ounce", "fluid ounces", "fl oz", "ounce", "ounces"]),
    unit(Volume, 3_785_411_784, 256_000_000, &["tablespoon", "tablespoons", "tbsp"]),
    unit(Volume, 3_785_411_784, 768_000_000, &["teaspoon", "teaspoons", "tsp"]),
    unit(Area, 1, 1, &["square meter", "square meters", "square metre", "square metres"]),
    unit(Area, 1_000_000, 1, &["square kilometer", "square kilometers", "square kilometre", "square kilometres"]),
    unit(Area, 10_000, 1, &["hectare", "hectares"]),
    unit(Area, 9_290_304, 100_000_000, &["square foot", "square feet"]),
    unit(Area, 40_468_564_224, 10_000_000, &["acre", "acres"]),
    unit(Area, 2_589_988_110_336, 1_000_000, &["square mile", "square miles"]),
    unit(Time, 1, 1_000, &["millisecond", "milliseconds", "ms"]),
    unit(Time, 1, 1, &["second", "seconds", "sec", "secs", "s"]),
    unit(Time, 60, 1, &["minute", "minutes", "min", "mins", "m"]),
    unit(Time, 3_600, 1, &["hour", "hours", "hr", "hrs", "h"]),
    unit(Time, 86_400, 1, &["day", "days"]),
    unit(Time, 604_800, 1, &["week", "weeks"]),
    // A month and a year of the Gregorian calendar's average length: 365.2425 days.
    unit(Time, 31_556_952, 12, &["month", "months"]),
    unit(Time, 31_556_952, 1, &["year", "years"]),
    unit(Time, 315_569_520, 1, &["decade", "decades"]),
    unit(Time, 3_155_695_200, 1, &["century", "centuries"]),
    unit(Speed, 1, 1, &["meter per second", "meters per second", "metres per second", "m over s"]),
    unit(Speed, 1_000, 3_600, &["kilometer per hour", "kilometers per hour", "kilometres per hour", "kilometers an hour", "km over h", "kph", "kmh"]),
    unit(Speed, 1_609_344, 3_600_000, &["mile per hour", "miles per hour", "miles an hour", "mph"]),
    unit(Speed, 3_048, 10_000, &["foot per second", "feet per second"]),
    unit(Speed, 1_852, 3_600, &["knot", "knots"]),
    unit(Data, 1, 8, &["bit", "bits"]),
    unit(Data, 1, 1, &["byte", "bytes"]),
    unit(Data, 1_000, 1, &["kilobyte", "kilobytes", "kb"]),
    unit(Data, 1_000_000, 1, &["megabyte", "megabytes", "mb"]),
    unit(Data, 1_000_000_000, 1, &["gigabyte", "gigabytes", "gb", "gigs"]),
    unit(Data, 1_000_000_000_000, 1, &["terabyte", "terabytes", "tb"]),
    unit(Data, 1_000_000_000_000_000, 1, &["petabyte", "petabytes", "pb"]),
    unit(Data, 1_000, 8, &["kilobit", "kilobits"]),
    unit(Data, 1_000_000, 8, &["megabit", "megabits"]),
    unit(Data, 1_000_000_000, 8, &["gigabit", "gigabits"]),
    unit(Data, 1 << 10, 1, &["kibibyte", "kibibytes", "kib"]),
    unit(Data, 1 << 20, 1, &["mebibyte", "mebibytes", "mib"]),
    unit(Data, 1 << 30, 1, &["gibibyte", "gibibytes", "gib"]),
    unit(Data, 1 << 40, 1, &["tebibyte", "tebibytes", "tib"]),
    Unit { dimension: Temperature, factor: (1, 1), zero: (27_315, 100), names: &["degree Celsius", "degrees Celsius", "degrees celsius", "degree celsius", "celsius", "degrees c", "c", "centigrade", "degrees centigrade"] },
    Unit { dimension: Temperature, factor: (5, 9), zero: (45_967 * 5, 900), names: &["degree Fahrenheit", "degrees Fahrenheit", "degrees fahrenheit", "degree fahrenheit", "fahrenheit", "degrees f", "f"] },
    Unit { dimension: Temperature, factor: (1, 1), zero: (0, 1), names: &["kelvin", "kelvin", "kelvins", "degrees kelvin", "k"] },
];

#[cfg(test)]
mod tests {
    use super::{super::super::heard::Heard, *};

    fn one(name: &str, of: Dimension) -> &'static Unit {
        let (units, _) = read(Heard::new(name).words()).unwrap();
        units.into_iter().find(|unit| unit.dimension == of).unwrap()
    }

    #[test]
    fn conversions_are_exact() {
        for (amount, from, to, of, expected) in [
            ("5", "miles", "kilometers", Length, "8.0467"),
            ("1", "mile", "feet", Length, "5280"),
            ("212", "fahrenheit", "celsius", Temperature, "100"),
            ("0", "celsius", "kelvin", Temperature, "273.15"),
            ("16", "ounces", "pounds", Mass, "1"),
            ("8", "ounces", "cups", Volume, "1"),
            ("1", "gibibyte", "bytes", Data, "1073741824"),
            ("90", "minutes", "hours", Time, "1.5"),
        ] {
            let result = one(from, of).convert(Number::decimal(amount).unwrap(), one(to, of)).unwrap();
            assert_eq!(result.spoken().trim_start_matches("about "), expected, "{amount} {from} in {to}");
        }
    }

    #[test]
    fn there_and_back_is_the_same() {
        for unit in UNITS {
            for other in UNITS.iter().filter(|other| other.dimension == unit.dimension) {
                let amount = Number::whole(7);
                assert_eq!(other.convert(unit.convert(amount, other).unwrap(), unit), Some(amount));
            }
        }
    }

    #[test]
    fn the_longest_name_wins() {
        let (units, count) = read(Heard::new("miles per hour").words()).unwrap();
        assert_eq!((units[0].dimension, count), (Speed, 3));
    }
}
