//! Excel workbooks, sheet by sheet: a line a row, a tab between cells.
//!
//! Cells are taken as they come, never as a table: one stray cell in the last row would make a table of billions.

use std::{fs::File, io::BufReader, path::Path};

use calamine::{DataRef, DataType, Reader, Xlsx, XlsxError, open_workbook};

use super::{Extracted, Failed, Limits, archive::Archive, properties, prose::Prose};

pub(super) fn read(path: &Path, limits: &Limits) -> Result<Extracted, Failed> {
    Archive::open(path, limits)?.measure()?;
    let mut metadata = properties::read(&mut Archive::open(path, limits)?)?;
    let mut workbook: Xlsx<BufReader<File>> = open_workbook(path).map_err(broken)?;
    let names = workbook.sheet_names();
    metadata.page_count = u32::try_from(names.len()).ok();
    let mut prose = Prose::new(limits.text_bytes);
    let mut warnings = Vec::new();
    for name in names {
        prose.push(&name);
        prose.end_line();
        match sheet(&mut workbook, &name, &mut prose) {
            Ok(()) => {}
            // A chart has a sheet of its own and no cells.
            Err(XlsxError::WorksheetNotFound(_)) => {}
            Err(error) if warnings.len() < WARNINGS_MAX => {
                warnings.push(format!("The sheet {name:?} is not read to its end: {error}."));
            }
            Err(_) => {}
        }
        prose.end_part();
        if prose.is_full() {
            break;
        }
    }
    Ok(Extracted { text: prose.finish(&mut warnings), metadata, warnings, ..Extracted::default() })
}

fn sheet(workbook: &mut Xlsx<BufReader<File>>, name: &str, prose: &mut Prose) -> Result<(), XlsxError> {
    let mut cells = workbook.worksheet_cells_reader(name)?;
    let mut row = None;
    while let Some(cell) = cells.next_cell()? {
        if cell.get_value().is_empty() {
            continue;
        }
        let at = cell.get_position().0;
        match row.replace(at) {
            Some(before) if before == at => prose.push("\t"),
            Some(_) => prose.end_line(),
            None => {}
        }
        prose.push(&shown(cell.get_value()));
        if prose.is_full() {
            break;
        }
    }
    Ok(())
}

/// A value as people write it.
fn shown(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(true) => "TRUE".into(),
        DataRef::Bool(false) => "FALSE".into(),
        DataRef::DateTime(time) if time.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
            match (hour, minute, second) {
                (0, 0, 0) => format!("{year:04}-{month:02}-{day:02}"),
                _ => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"),
            }
        }
        DataRef::DateTime(time) => time.as_f64().to_string(),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => String::new(),
    }
}

fn broken(error: XlsxError) -> Failed {
    if matches!(error, XlsxError::Password) { Failed::Protected } else { Failed::damaged(error) }
}

/// Sheets whose faults are told.
const WARNINGS_MAX: usize = 10;
