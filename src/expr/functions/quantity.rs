//! Units of measure with factors that are exact by definition: NIST Special Publication 811, appendix B
//! (bold factors), and IEC 80000-13 for powers of 1024. What is only measured or agreed on loosely is
//! not here.

use super::Failure;
use crate::record::Decimal;
use crate::record::decimal::Rounding;

/// A unit: its kind, its names, its factor to the base unit of its kind as a fraction.
struct Unit {
    kind: &'static str,
    names: &'static [&'static str],
    up: i128,
    down: i128,
}

const fn unit(kind: &'static str, names: &'static [&'static str], up: i128, down: i128) -> Unit {
    Unit { kind, names, up, down }
}

const LENGTH: &str = "length";
const MASS: &str = "mass";
const VOLUME: &str = "volume";
const AREA: &str = "area";
const TIME: &str = "time";
const SPEED: &str = "speed";
const ENERGY: &str = "energy";
const POWER: &str = "power";
const PRESSURE: &str = "pressure";
const DATA: &str = "size of data";
const TEMPERATURE: &str = "temperature";

/// The pound, in micrograms by the hundredth: 0.45359237 kg.
const POUND: i128 = 45_359_237;
/// The US gallon, 231 cubic inches of 2.54 cm, in litres: 3.785411784.
const GALLON: i128 = 3_785_411_784;
/// The standard acceleration of free fall: 9.80665 m/s².
const FALL: i128 = 980_665;

static UNITS: &[Unit] = &[
    unit(LENGTH, &["nm", "nanometre", "nanometer"], 1, 1_000_000_000),
    unit(LENGTH, &["um", "µm", "micrometre", "micrometer", "micron"], 1, 1_000_000),
    unit(LENGTH, &["mm", "millimetre", "millimeter"], 1, 1000),
    unit(LENGTH, &["cm", "centimetre", "centimeter"], 1, 100),
    unit(LENGTH, &["dm", "decimetre", "decimeter"], 1, 10),
    unit(LENGTH, &["m", "metre", "meter"], 1, 1),
    unit(LENGTH, &["km", "kilometre", "kilometer"], 1000, 1),
    unit(LENGTH, &["in", "inch", "inches"], 254, 10_000),
    unit(LENGTH, &["ft", "foot", "feet"], 3048, 10_000),
    unit(LENGTH, &["yd", "yard"], 9144, 10_000),
    unit(LENGTH, &["mi", "mile"], 1_609_344, 1000),
    unit(LENGTH, &["nmi", "nautical_mile"], 1852, 1),
    unit(MASS, &["ug", "µg", "mcg", "microgram"], 1, 1_000_000_000),
    unit(MASS, &["mg", "milligram"], 1, 1_000_000),
    unit(MASS, &["g", "gram"], 1, 1000),
    unit(MASS, &["kg", "kilogram"], 1, 1),
    unit(MASS, &["t", "tonne", "metric_ton"], 1000, 1),
    unit(MASS, &["gr", "grain"], POUND, 7000 * 100_000_000),
    unit(MASS, &["oz", "ounce"], POUND, 16 * 100_000_000),
    unit(MASS, &["lb", "lbs", "pound"], POUND, 100_000_000),
    unit(MASS, &["st", "stone"], 14 * POUND, 100_000_000),
    unit(MASS, &["short_ton", "us_ton"], 2000 * POUND, 100_000_000),
    unit(MASS, &["long_ton", "imp_ton"], 2240 * POUND, 100_000_000),
    unit(MASS, &["ozt", "troy_ounce"], 480 * POUND, 7000 * 100_000_000),
    unit(MASS, &["ct", "carat"], 2, 10_000),
    unit(VOLUME, &["ml", "mL", "cm3", "cc", "millilitre", "milliliter"], 1, 1000),
    unit(VOLUME, &["cl", "cL", "centilitre", "centiliter"], 1, 100),
    unit(VOLUME, &["dl", "dL", "decilitre", "deciliter"], 1, 10),
    unit(VOLUME, &["l", "L", "dm3", "litre", "liter"], 1, 1),
    unit(VOLUME, &["hl", "hL", "hectolitre", "hectoliter"], 100, 1),
    unit(VOLUME, &["m3", "cubic_metre", "cubic_meter"], 1000, 1),
    unit(VOLUME, &["in3", "cubic_inch"], GALLON, 231 * 1_000_000_000),
    unit(VOLUME, &["ft3", "cubic_foot"], 1728 * GALLON, 231 * 1_000_000_000),
    unit(VOLUME, &["floz", "us_floz", "fluid_ounce"], GALLON, 128 * 1_000_000_000),
    unit(VOLUME, &["cup", "us_cup"], GALLON, 16 * 1_000_000_000),
    unit(VOLUME, &["pt", "us_pt", "pint"], GALLON, 8 * 1_000_000_000),
    unit(VOLUME, &["qt", "us_qt", "quart"], GALLON, 4 * 1_000_000_000),
    unit(VOLUME, &["gal", "us_gal", "gallon"], GALLON, 1_000_000_000),
    unit(VOLUME, &["bbl", "oil_barrel"], 42 * GALLON, 1_000_000_000),
    unit(VOLUME, &["imp_floz"], 454_609, 160 * 100_000),
    unit(VOLUME, &["imp_pt", "imp_pint"], 454_609, 8 * 100_000),
    unit(VOLUME, &["imp_gal", "imp_gallon"], 454_609, 100_000),
    unit(AREA, &["mm2"], 1, 1_000_000),
    unit(AREA, &["cm2"], 1, 10_000),
    unit(AREA, &["m2", "sqm", "square_metre", "square_meter"], 1, 1),
    unit(AREA, &["a", "are"], 100, 1),
    unit(AREA, &["ha", "hectare"], 10_000, 1),
    unit(AREA, &["km2"], 1_000_000, 1),
    unit(AREA, &["in2", "sqin"], 64_516, 100_000_000),
    unit(AREA, &["ft2", "sqft", "square_foot", "square_feet"], 9_290_304, 100_000_000),
    unit(AREA, &["yd2", "sqyd"], 83_612_736, 100_000_000),
    unit(AREA, &["ac", "acre"], 40_468_564_224, 10_000_000),
    unit(AREA, &["mi2", "sqmi"], 2_589_988_110_336, 1_000_000),
    unit(TIME, &["ms", "millisecond"], 1, 1000),
    unit(TIME, &["s", "sec", "second"], 1, 1),
    unit(TIME, &["min", "minute"], 60, 1),
    unit(TIME, &["h", "hr", "hour"], 3600, 1),
    unit(TIME, &["d", "day"], 86_400, 1),
    unit(TIME, &["wk", "week"], 604_800, 1),
    unit(SPEED, &["mps", "m/s"], 1, 1),
    unit(SPEED, &["kmh", "km/h", "kph"], 5, 18),
    unit(SPEED, &["mph", "mi/h"], 1_609_344, 3_600_000),
    unit(SPEED, &["kn", "knot"], 1852, 3600),
    unit(SPEED, &["fps", "ft/s"], 3048, 10_000),
    unit(ENERGY, &["J", "joule"], 1, 1),
    unit(ENERGY, &["kJ", "kilojoule"], 1000, 1),
    unit(ENERGY, &["MJ", "megajoule"], 1_000_000, 1),
    unit(ENERGY, &["Wh", "watt_hour"], 3600, 1),
    unit(ENERGY, &["kWh", "kilowatt_hour"], 3_600_000, 1),
    unit(ENERGY, &["MWh", "megawatt_hour"], 3_600_000_000, 1),
    unit(ENERGY, &["cal", "calorie"], 4184, 1000),
    unit(ENERGY, &["kcal", "kilocalorie"], 4184, 1),
    unit(ENERGY, &["BTU", "Btu"], 105_505_585_262, 100_000_000),
    unit(POWER, &["W", "watt"], 1, 1),
    unit(POWER, &["kW", "kilowatt"], 1000, 1),
    unit(POWER, &["MW", "megawatt"], 1_000_000, 1),
    unit(POWER, &["PS", "metric_horsepower"], 75 * FALL, 100_000),
    // 550 foot-pounds of force in a second.
    unit(POWER, &["hp", "horsepower"], 550 * 3048 * POUND * FALL, 10_000 * 100_000_000 * 100_000),
    unit(PRESSURE, &["Pa", "pascal"], 1, 1),
    unit(PRESSURE, &["hPa", "mbar", "hectopascal", "millibar"], 100, 1),
    unit(PRESSURE, &["kPa", "kilopascal"], 1000, 1),
    unit(PRESSURE, &["MPa", "megapascal"], 1_000_000, 1),
    unit(PRESSURE, &["bar"], 100_000, 1),
    unit(PRESSURE, &["atm", "atmosphere"], 101_325, 1),
    unit(PRESSURE, &["torr", "Torr"], 101_325, 760),
    // A pound of force on a square inch.
    unit(PRESSURE, &["psi"], POUND * FALL, 64_516 * 100_000),
    unit(DATA, &["bit"], 1, 8),
    unit(DATA, &["B", "byte"], 1, 1),
    unit(DATA, &["kB", "KB", "kilobyte"], 1000, 1),
    unit(DATA, &["MB", "megabyte"], 1_000_000, 1),
    unit(DATA, &["GB", "gigabyte"], 1_000_000_000, 1),
    unit(DATA, &["TB", "terabyte"], 1_000_000_000_000, 1),
    unit(DATA, &["PB", "petabyte"], 1_000_000_000_000_000, 1),
    unit(DATA, &["KiB", "kibibyte"], 1 << 10, 1),
    unit(DATA, &["MiB", "mebibyte"], 1 << 20, 1),
    unit(DATA, &["GiB", "gibibyte"], 1 << 30, 1),
    unit(DATA, &["TiB", "tebibyte"], 1 << 40, 1),
    unit(TEMPERATURE, &["K", "kelvin"], 1, 1),
    unit(TEMPERATURE, &["C", "°C", "celsius"], 1, 1),
    unit(TEMPERATURE, &["F", "°F", "fahrenheit"], 5, 9),
    unit(TEMPERATURE, &["R", "°R", "rankine"], 5, 9),
];

/// How a number of one unit becomes one of another: `(x + before) * up / down - after`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    before: Decimal,
    up: i128,
    down: i128,
    after: Decimal,
}

/// The change between two units.
///
/// # Errors
/// If there is no unit of a name, or they measure different things.
pub(super) fn between(from: &str, to: &str) -> Result<Change, Failure> {
    let (source, target) = (find(from)?, find(to)?);
    if source.kind != target.kind {
        return Err(Failure::value(format!("a {} is not a {}", source.kind, target.kind)));
    }
    let (up, down) = reduced(source.up, source.down);
    let (other_down, other_up) = reduced(target.up, target.down);
    let (up, other_down) = reduced(up, other_down);
    let (other_up, down) = reduced(other_up, down);
    let product = |a: i128, b: i128| a.checked_mul(b).ok_or_else(Failure::limit);
    Ok(Change {
        before: offset(source)?,
        up: product(up, other_up)?,
        down: product(down, other_down)?,
        after: offset(target)?,
    })
}

/// Whether there is a unit of that name.
pub(super) fn is_known(name: &str) -> bool {
    find(name).is_ok()
}

impl Change {
    /// # Errors
    /// If the result has more than 28 digits.
    pub(super) fn apply(self, x: Decimal, places: Option<u32>) -> Result<Decimal, Failure> {
        let shifted = if self.before == Decimal::ZERO { x } else { x.add(self.before)? };
        let up = Decimal::new(self.up, 0)?;
        let down = Decimal::new(self.down, 0)?;
        let product = shifted.mul(up)?;
        let result = match (self.down, places) {
            (1, _) => product,
            (_, Some(places)) => product.div(down, places, Rounding::HalfUp)?,
            (_, None) => product.div_exact(down).map_err(|error| match error {
                crate::record::decimal::DecimalError::Inexact => Failure::number(
                    "the result has no end: say how many places it keeps, as in `convert_unit(x, \"kg\", \"lb\", 3)`",
                ),
                other => other.into(),
            })?,
        };
        let result = if self.after == Decimal::ZERO { result } else { result.sub(self.after)? };
        Ok(match places {
            Some(places) => result.round(places, Rounding::HalfUp)?,
            // Zeros that only the offset of a temperature brought in say nothing.
            None => match result.round(x.scale(), Rounding::Down)? {
                short if short == result && short.scale() < result.scale() => short,
                _ => result,
            },
        })
    }
}

/// What is added to a temperature so that it counts from absolute zero.
fn offset(unit: &Unit) -> Result<Decimal, Failure> {
    Ok(match unit.names.first() {
        Some(&"C") => Decimal::new(27_315, 2)?,
        Some(&"F") => Decimal::new(45_967, 2)?,
        _ => Decimal::ZERO,
    })
}

fn find(name: &str) -> Result<&'static Unit, Failure> {
    let known = |name: &str| UNITS.iter().find(|unit| unit.names.contains(&name));
    // Words may stand in the plural, and in capital letters; symbols may not: `MB` is not `mb`.
    let word = |name: &str| known(name).filter(|_| name.len() > 3);
    let lower = name.to_lowercase().replace(' ', "_");
    known(name).or_else(|| word(&lower)).or_else(|| lower.strip_suffix('s').and_then(word)).ok_or_else(|| {
        let names = UNITS.iter().flat_map(|unit| unit.names).copied();
        match crate::error::nearest(name, names) {
            Some(near) => Failure::value(format!("there is no unit of that name: did you mean `{near}`?")),
            None => Failure::value("there is no unit of that name"),
        }
    })
}

fn reduced(a: i128, b: i128) -> (i128, i128) {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    if x == 0 { (a, b) } else { (a / x, b / x) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(x: &str, from: &str, to: &str, places: Option<u32>, expected: &str) {
        let result = between(from, to).unwrap().apply(Decimal::parse(x).unwrap(), places).unwrap();
        let mut text = Vec::new();
        result.write(&mut text);
        assert_eq!(String::from_utf8(text).unwrap(), expected, "{x} {from} in {to}");
    }

    #[test]
    fn factors_are_those_of_sp_811() {
        // NIST SP 811 (2008), appendix B.8: acre, foot, gallon, horsepower, psi, ounce, mile per hour.
        check("1", "ft2", "m2", None, "0.09290304");
        check("1", "gal", "l", None, "3.785411784");
        check("1", "hp", "W", Some(4), "745.6999");
        check("1", "psi", "Pa", Some(3), "6894.757");
        check("1", "oz", "g", Some(5), "28.34952");
        check("1", "ozt", "g", None, "31.1034768");
        check("1", "mph", "km/h", None, "1.609344");
        check("1", "acre", "m2", Some(3), "4046.856");
        check("1", "BTU", "J", Some(5), "1055.05585");
        check("72", "F", "C", Some(2), "22.22");
        check("0", "K", "C", None, "-273.15");
        check("1.50", "kg", "g", None, "1500.00");
        check("-40", "C", "F", None, "-40");
        check("1", "GiB", "MB", Some(3), "1073.742");
    }

    #[test]
    fn every_pair_of_a_kind_can_be_converted_there_and_back() {
        for unit in UNITS {
            for other in UNITS.iter().filter(|other| other.kind == unit.kind) {
                let (there, back) = (between(unit.names[0], other.names[0]), between(other.names[0], unit.names[0]));
                let (there, back) = (there.unwrap(), back.unwrap());
                assert_eq!((there.up, there.down), (back.down, back.up), "{:?} {:?}", unit.names, other.names);
                let large = there.apply(Decimal::from_i64(12), Some(6));
                assert!(large.is_ok(), "{:?} {:?}: {large:?}", unit.names, other.names);
            }
        }
    }

    #[test]
    fn no_name_stands_twice() {
        let mut names: Vec<&str> = UNITS.iter().flat_map(|unit| unit.names).copied().collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        for (name, found) in [("Kilograms", "kg"), ("POUNDS", "lb"), ("square feet", "ft2"), ("inches", "in")] {
            assert_eq!(find(name).unwrap().names[0], found);
        }
        assert!(find("mb").is_err() && find("s ").is_err());
    }
}
