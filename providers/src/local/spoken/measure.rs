//! Quantities with units, blood pressure, percentages.

use regex::Captures;

use super::{
    numerals::{cardinal, is_one, number},
    rules::{Place, Rule},
};

/// `120/80 mmHg`, and without its unit where both figures are in a body's reach.
fn pressure(m: &Captures<'_>, _: Place<'_>) -> Option<String> {
    let within = |text: &str, range: std::ops::RangeInclusive<u32>| text.parse().is_ok_and(|n| range.contains(&n));
    let said = format!("{} over {}", cardinal(&m[1]), cardinal(&m[2]));
    if m.get(3).is_some() {
        return Some(said + " millimeters of mercury");
    }
    (within(&m[1], 70..=250) && within(&m[2], 40..=150) && m[1].len() + m[2].len() > 4).then_some(said)
}

/// `5 mg`, `5-10 mg`, `3 mg/dL`, `-4°C`, `50%`
fn quantity(m: &Captures<'_>, _: Place<'_>) -> Option<String> {
    let last = m.get(2).map_or(&m[1], |to| to.as_str());
    let unit = unit(&m[3])?;
    let mut said = number(&m[1]);
    if let Some(to) = m.get(2) {
        said = format!("{said} to {}", number(to.as_str()));
    }
    let name = if is_one(last) && m.get(2).is_none() { unit.1 } else { unit.2 };
    let per = m.get(4).and_then(|per| self::unit(per.as_str())).map(|per| format!(" per {}", per.1));
    Some(format!("{said} {name}{}", per.unwrap_or_default()))
}

fn unit(mark: &str) -> Option<&'static Unit> {
    UNITS.iter().find(|unit| unit.0.split(' ').any(|spelling| spelling == mark))
}

/// Its spellings, parted by spaces; one of it; several.
struct Unit(&'static str, &'static str, &'static str);

const UNITS: &[Unit] = &[
    Unit("%", "percent", "percent"),
    Unit("°C ℃", "degree Celsius", "degrees Celsius"),
    Unit("°F ℉", "degree Fahrenheit", "degrees Fahrenheit"),
    Unit("°", "degree", "degrees"),
    Unit("mmHg", "millimeter of mercury", "millimeters of mercury"),
    Unit("bpm", "beat per minute", "beats per minute"),
    Unit("mph", "mile per hour", "miles per hour"),
    Unit("kph kmh", "kilometer per hour", "kilometers per hour"),
    Unit("km²  km2", "square kilometer", "square kilometers"),
    Unit("m² m2 sqm", "square meter", "square meters"),
    Unit("cm² cm2", "square centimeter", "square centimeters"),
    Unit("m³ m3", "cubic meter", "cubic meters"),
    Unit("cm³ cm3 cc", "cubic centimeter", "cubic centimeters"),
    Unit("sqft ft²", "square foot", "square feet"),
    Unit("km", "kilometer", "kilometers"),
    Unit("mm", "millimeter", "millimeters"),
    Unit("cm", "centimeter", "centimeters"),
    Unit("µm μm", "micrometer", "micrometers"),
    Unit("nm", "nanometer", "nanometers"),
    Unit("m", "meter", "meters"),
    Unit("mi", "mile", "miles"),
    Unit("ft", "foot", "feet"),
    Unit("yd", "yard", "yards"),
    Unit("kg", "kilogram", "kilograms"),
    Unit("mg", "milligram", "milligrams"),
    Unit("µg μg mcg ug", "microgram", "micrograms"),
    Unit("ng", "nanogram", "nanograms"),
    Unit("g", "gram", "grams"),
    Unit("lb lbs", "pound", "pounds"),
    Unit("oz", "ounce", "ounces"),
    Unit("mL ml", "milliliter", "milliliters"),
    Unit("dL dl", "deciliter", "deciliters"),
    Unit("L l", "liter", "liters"),
    Unit("gal", "gallon", "gallons"),
    Unit("mmol", "millimole", "millimoles"),
    Unit("mEq", "milliequivalent", "milliequivalents"),
    Unit("IU", "international unit", "international units"),
    Unit("kcal", "kilocalorie", "kilocalories"),
    Unit("kJ", "kilojoule", "kilojoules"),
    Unit("kWh", "kilowatt hour", "kilowatt hours"),
    Unit("kW", "kilowatt", "kilowatts"),
    Unit("MW", "megawatt", "megawatts"),
    Unit("W", "watt", "watts"),
    Unit("V", "volt", "volts"),
    Unit("mAh", "milliamp hour", "milliamp hours"),
    Unit("kPa", "kilopascal", "kilopascals"),
    Unit("psi", "pound per square inch", "pounds per square inch"),
    Unit("GHz", "gigahertz", "gigahertz"),
    Unit("MHz", "megahertz", "megahertz"),
    Unit("kHz", "kilohertz", "kilohertz"),
    Unit("Hz", "hertz", "hertz"),
    Unit("dB", "decibel", "decibels"),
    Unit("TB", "terabyte", "terabytes"),
    Unit("GB GiB", "gigabyte", "gigabytes"),
    Unit("MB MiB", "megabyte", "megabytes"),
    Unit("kB KB KiB", "kilobyte", "kilobytes"),
    Unit("Gbps", "gigabit per second", "gigabits per second"),
    Unit("Mbps", "megabit per second", "megabits per second"),
    Unit("kbps", "kilobit per second", "kilobits per second"),
    Unit("ms", "millisecond", "milliseconds"),
    Unit("µs μs us", "microsecond", "microseconds"),
    Unit("ns", "nanosecond", "nanoseconds"),
    Unit("s sec secs", "second", "seconds"),
    Unit("min mins", "minute", "minutes"),
    Unit("h hr hrs", "hour", "hours"),
    Unit("day days d", "day", "days"),
    Unit("wk wks", "week", "weeks"),
    Unit("mo mos", "month", "months"),
    Unit("yr yrs", "year", "years"),
    Unit("px", "pixel", "pixels"),
];

macro_rules! number {
    () => {
        r"((?:[-−])?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+)"
    };
}

pub(super) const RULES: &[Rule] = &[
    Rule(r"([0-9]{2,3})/([0-9]{2,3})(\s?mm\s?Hg\b)?", pressure),
    Rule(
        concat!(
            number!(),
            r"(?:\s?[-–—]\s?((?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?))?[\s-]?(°[CF]?|%|℃|℉|[A-Za-zµμ]{1,5}[²³23]?)(?:/([A-Za-zµμ]{1,4}[²³23]?))?"
        ),
        quantity,
    ),
];
