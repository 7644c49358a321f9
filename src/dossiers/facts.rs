//! What a clinical context says, as it is kept and answered.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is known of a patient. Not to be printed: it has no `Debug`.
#[derive(Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Facts {
    /// In years.
    pub age: Option<u32>,
    /// In the patient's or the clinic's own words.
    pub gender: Option<String>,
    /// In kilograms.
    pub weight_kg: Option<f64>,
    /// In centimetres.
    pub height_cm: Option<f64>,
    /// Why they came.
    pub chief_complaint: Option<String>,
    /// What they are known to have.
    pub problems: Vec<String>,
    /// What they take.
    pub medications: Vec<String>,
    /// What they must not be given.
    pub allergies: Vec<String>,
    /// What was measured.
    pub vitals: Option<Vitals>,
}

/// What was measured.
#[derive(Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Vitals {
    /// Of the body, in °C.
    pub temperature: Option<f64>,
    /// Beats a minute.
    pub heart_rate: Option<u32>,
    /// Systolic over diastolic, in mmHg: `120/80`.
    pub blood_pressure: Option<String>,
    /// Breaths a minute.
    pub respiratory_rate: Option<u32>,
    /// Saturation of the blood with oxygen, in percent.
    pub spo2: Option<f64>,
}

impl Facts {
    /// As a context keeps them. What this version does not know is left out, vitals of which nothing is left too.
    pub fn kept(text: &str) -> Self {
        let facts: Self = serde_json::from_str(text).unwrap_or_default();
        Self { vitals: facts.vitals.filter(|vitals| *vitals != Vitals::default()), ..facts }
    }
}
