//! Folders as one nested answer.
//!
//! Folders may be thousands deep, so nothing here calls itself: neither what puts the tree together nor what writes it, and
//! nothing of it is dropped as a tree. At such depth the answer is as deep, two levels of JSON a folder; a client whose
//! parser has a limit reads the same from `GET /api/folders`, whose items name their parents.

use std::{collections::BTreeMap, vec};

use super::folders::View;
use crate::store::{FolderId, folders::Folder};

/// `{"items": [{…, "children": [{…, "children": []}]}]}`. Each folder's children are in the order they come.
pub(super) fn written(folders: Vec<Folder>) -> serde_json::Result<Vec<u8>> {
    let mut within: BTreeMap<Option<FolderId>, Vec<Folder>> = BTreeMap::new();
    for folder in folders {
        within.entry(folder.parent).or_default().push(folder);
    }
    let mut children =
        |of: Option<FolderId>| Level { rest: within.remove(&of).unwrap_or_default().into_iter(), first: true };
    let mut out = b"{\"items\":[".to_vec();
    let mut open = vec![children(None)];
    while let Some(level) = open.last_mut() {
        let Some(folder) = level.rest.next() else {
            open.pop();
            out.extend_from_slice(b"]}");
            continue;
        };
        if !std::mem::take(&mut level.first) {
            out.push(b',');
        }
        let id = folder.id;
        serde_json::to_writer(&mut out, &View::from(folder))?;
        // Its children go before the brace that closes it.
        out.pop();
        out.extend_from_slice(b",\"children\":[");
        open.push(children(Some(id)));
    }
    Ok(out)
}

/// The folders of one parent that are not written yet.
struct Level {
    rest: vec::IntoIter<Folder>,
    first: bool,
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::{Value, json};

    use super::*;

    fn folder(name: &str, parent: Option<FolderId>) -> Folder {
        let now = Timestamp::UNIX_EPOCH;
        let (name, color, icon) = (name.to_owned(), None, Some("}".to_owned()));
        Folder { id: FolderId::new(now), parent, name, color, icon, created_at: now, updated_at: now }
    }

    /// Names of folders and what is in them.
    fn names(items: &Value) -> Value {
        let named = |item: &Value| json!([item["name"], names(&item["children"])]);
        items.as_array().unwrap().iter().map(named).collect()
    }

    #[test]
    fn every_folder_is_in_its_parent() {
        let work = folder("work", None);
        let calls = folder("calls}", Some(work.id));
        let folders =
            [folder("home", None), folder("deep", Some(calls.id)), folder("notes", Some(work.id)), work, calls];
        let tree: Value = serde_json::from_slice(&written(folders.into()).unwrap()).unwrap();
        let expected = json!([["home", []], ["work", [["notes", []], ["calls}", [["deep", []]]]]]]);
        assert_eq!(names(&tree["items"]), expected);
        assert_eq!(tree["items"][1]["children"][0]["icon"], "}");
        assert_eq!(written(Vec::new()).unwrap(), b"{\"items\":[]}");
    }

    #[test]
    fn no_depth_is_too_deep() {
        let mut parent = None;
        let folders: Vec<_> = (0..5_000)
            .map(|n| {
                let folder = folder(&n.to_string(), parent);
                parent = Some(folder.id);
                folder
            })
            .collect();
        let text = String::from_utf8(written(folders).unwrap()).unwrap();
        assert_eq!((text.matches("\"children\":[").count(), text.matches("]}").count()), (5_000, 5_001));
    }
}
