//! Folders: where conversations are filed, in trees of any depth.
//!
//! Whoever makes, moves or deletes one of a user's folders first takes that user's row, so that no two of them are at it
//! at once: two moves that are each allowed can make a ring together.

use std::collections::BTreeSet;

use super::{
    Cursor, Db, FolderId, Page, StoreError, UserId, column,
    page::ELDEST,
    sql::{Pool, Record, Row, Tx, query},
};
use jiff::Timestamp;

/// A folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Folder {
    /// Its id.
    pub id: FolderId,
    /// The folder it is in; `None` at the top.
    pub parent: Option<FolderId>,
    /// What its owner calls it: no other folder of the same parent is called so.
    pub name: String,
    /// What it looks like, as clients understand it.
    pub color: Option<String>,
    /// The picture it has, as clients understand it.
    pub icon: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed or moved.
    pub updated_at: Timestamp,
}

/// What a new folder is made of.
#[derive(Clone, Copy, Debug)]
pub struct NewFolder<'a> {
    /// What it is called.
    pub name: &'a str,
    /// The folder it is in; `None` at the top.
    pub parent: Option<FolderId>,
    /// What it looks like.
    pub color: Option<&'a str>,
    /// The picture it has.
    pub icon: Option<&'a str>,
}

/// What of a folder its owner changes; `None` leaves it, an inner `None` clears it.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// What it is called.
    pub name: Option<String>,
    /// Where it is.
    pub parent: Option<Option<FolderId>>,
    /// What it looks like.
    pub color: Option<Option<String>>,
    /// The picture it has.
    pub icon: Option<Option<String>>,
}

/// Why a folder was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Another folder of that parent is called so.
    #[error("the name is taken")]
    Taken,
    /// The folder it was to be in does not exist, or belongs to somebody else.
    #[error("no such parent")]
    NoParent,
    /// It would be in itself, or in a folder that is in it.
    #[error("a folder cannot be in itself")]
    Circular,
    /// Its owner has [`MOST`].
    #[error("too many folders")]
    Full,
    /// It does not exist, or the database failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        if error.is_duplicate() { Self::Taken } else { Self::Store(error) }
    }
}

/// Most folders of a user: the tree is answered as a whole.
pub const MOST: i64 = 10_000;

/// Makes a folder.
pub async fn create(db: &Db, user: UserId, new: NewFolder<'_>, now: Timestamp) -> Result<Folder, Refusal> {
    let mut tx = db.write().await?;
    hold(&mut tx, user).await?;
    let count: i64 = query("SELECT COUNT(*) FROM folders WHERE user_id = $1").bind(user).fetch_one(&mut tx).await?;
    if count >= MOST {
        return Err(Refusal::Full);
    }
    if let Some(parent) = new.parent
        && !exists(&mut tx, user, parent).await?
    {
        return Err(Refusal::NoParent);
    }
    let folder = query(
        "INSERT INTO folders (id, user_id, parent_id, name, color, icon, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7) RETURNING *",
    )
    .bind(FolderId::new(now))
    .bind(user)
    .bind(new.parent)
    .bind(new.name)
    .bind(new.color)
    .bind(new.icon)
    .bind(column::millis(now))
    .fetch_one(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(folder)
}

/// One folder of this user.
pub async fn get(db: &Db, user: UserId, folder: FolderId) -> Result<Folder, StoreError> {
    query("SELECT * FROM folders WHERE id = $1 AND user_id = $2").bind(folder).bind(user).fetch_found(db.reader()).await
}

/// The user's folders, the eldest first: all of them, those of one parent, or (an inner `None`) those at the top.
pub async fn list(
    db: &Db,
    user: UserId,
    parent: Option<Option<FolderId>>,
    after: Option<&Cursor>,
    limit: u32,
) -> Result<Page<Folder>, StoreError> {
    let theirs = query("SELECT * FROM folders WHERE user_id = $1").bind(user);
    let theirs = match parent {
        Some(None) => theirs.then("AND parent_id IS NULL"),
        parent => theirs.and("parent_id = ?", parent.flatten()),
    };
    Page::of(db, theirs, ELDEST, after, limit, |folder: &Folder| folder.id).await
}

/// All folders of this user by name (the order of its bytes), at most [`MOST`].
pub async fn all(db: &Db, user: UserId) -> Result<Vec<Folder>, StoreError> {
    // Ten thousand are read and ordered in milliseconds: too long for a thread that others wait for.
    let ordered = match db.reader() {
        Pool::Postgres(_) => {
            let sql = "SELECT id, parent_id, name, color, icon, created_at, updated_at FROM folders WHERE user_id = $1";
            let folders = query(sql).bind(user).fetch_all(db.reader()).await?;
            tokio::task::spawn_blocking(move || Ok(by_name(folders))).await
        }
        // A row costs SQLite's driver several times what it costs SQLite, half of that on the threads on which voices are served.
        Pool::Sqlite(_) => {
            let sql = "SELECT json_group_array(json_array(id, parent_id, name, color, icon, created_at, updated_at)) \
                       FROM folders WHERE user_id = $1";
            let array: String = query(sql).bind(user).fetch_one(db.reader()).await?;
            tokio::task::spawn_blocking(move || parsed(&array).map(by_name)).await
        }
    };
    Ok(ordered.map_err(|_| sqlx::Error::WorkerCrashed)??)
}

fn parsed(array: &str) -> Result<Vec<Folder>, sqlx::Error> {
    type Columns = (FolderId, Option<FolderId>, String, Option<String>, Option<String>, i64, i64);
    let rows: Vec<Columns> = serde_json::from_str(array).map_err(|error| sqlx::Error::Decode(error.into()))?;
    let folder = |(id, parent, name, color, icon, created_at, updated_at)| {
        let created_at = column::decode("created_at", created_at)?;
        let updated_at = column::decode("updated_at", updated_at)?;
        Ok(Folder { id, parent, name, color, icon, created_at, updated_at })
    };
    rows.into_iter().map(folder).collect()
}

fn by_name(mut folders: Vec<Folder>) -> Vec<Folder> {
    folders.sort_unstable_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
    folders
}

/// Changes a folder, or moves it with all that is in it.
pub async fn change(
    db: &Db,
    user: UserId,
    folder: FolderId,
    change: Change,
    now: Timestamp,
) -> Result<Folder, Refusal> {
    let mut tx = db.write().await?;
    hold(&mut tx, user).await?;
    if !exists(&mut tx, user, folder).await? {
        return Err(StoreError::NotFound.into());
    }
    if let Some(Some(parent)) = change.parent {
        if !exists(&mut tx, user, parent).await? {
            return Err(Refusal::NoParent);
        }
        if is_within(&mut tx, parent, folder).await? {
            return Err(Refusal::Circular);
        }
    }
    let changed = query(
        "UPDATE folders SET name = COALESCE($3, name), parent_id = CASE WHEN $4 THEN $5 ELSE parent_id END, \
         color = CASE WHEN $6 THEN $7 ELSE color END, icon = CASE WHEN $8 THEN $9 ELSE icon END, updated_at = $10 \
         WHERE id = $1 AND user_id = $2 RETURNING *",
    )
    .bind(folder)
    .bind(user)
    .bind(change.name)
    .bind(change.parent.is_some())
    .bind(change.parent.flatten())
    .bind(change.color.is_some())
    .bind(change.color.flatten())
    .bind(change.icon.is_some())
    .bind(change.icon.flatten())
    .bind(column::millis(now))
    .fetch_found(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(changed)
}

/// Deletes a folder. What was in it is in its parent from then on, a folder whose name is taken there under a numbered one:
/// "Calls" as "Calls (2)". Its conversations are in no folder.
pub async fn delete(db: &Db, user: UserId, folder: FolderId, now: Timestamp) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    hold(&mut tx, user).await?;
    let gone: Folder = query("DELETE FROM folders WHERE id = $1 AND user_id = $2 RETURNING *")
        .bind(folder)
        .bind(user)
        .fetch_found(&mut tx)
        .await?;
    let parent = gone.parent;
    let beside: Vec<String> =
        query("SELECT name FROM folders WHERE user_id = $1 AND COALESCE(parent_id, '') = COALESCE($2, '')")
            .bind(user)
            .bind(parent)
            .fetch_all(&mut tx)
            .await?;
    let children: Vec<Folder> = query("SELECT * FROM folders WHERE user_id = $1 AND parent_id = $2")
        .bind(user)
        .bind(folder)
        .fetch_all(&mut tx)
        .await?;
    for (child, name) in renamed(&beside, &children) {
        query("UPDATE folders SET name = $2 WHERE id = $1").bind(child).bind(name).execute(&mut tx).await?;
    }
    query("UPDATE folders SET parent_id = $3, updated_at = $4 WHERE user_id = $1 AND parent_id = $2")
        .bind(user)
        .bind(folder)
        .bind(parent)
        .bind(column::millis(now))
        .execute(&mut tx)
        .await?;
    tx.commit().await
}

/// Which children need another name where they come to be, and which: one that neither the folders there nor the other
/// children have.
fn renamed(beside: &[String], children: &[Folder]) -> Vec<(FolderId, String)> {
    let there: BTreeSet<&str> = beside.iter().map(String::as_str).collect();
    let mut taken: BTreeSet<String> = beside.iter().cloned().collect();
    taken.extend(children.iter().map(|child| child.name.clone()));
    let clashing = children.iter().filter(|child| there.contains(child.name.as_str()));
    let mut renamed = Vec::new();
    for child in clashing {
        let mut names = (2_usize..).map(|n| numbered(&child.name, n));
        if let Some(name) = names.find(|name| !taken.contains(name)) {
            taken.insert(name.clone());
            renamed.push((child.id, name));
        }
    }
    renamed
}

/// Longest name, in characters.
pub const NAME: usize = 100;

/// `name (n)`, the name cut so that the whole is one.
fn numbered(name: &str, n: usize) -> String {
    let suffix = format!(" ({n})");
    let stem: String = name.chars().take(NAME - suffix.len()).collect();
    format!("{}{suffix}", stem.trim_end())
}

/// Takes the user's row to the end of the transaction.
async fn hold(tx: &mut Tx, user: UserId) -> Result<(), StoreError> {
    query("UPDATE users SET role = role WHERE id = $1").bind(user).execute_found(tx).await
}

async fn exists(tx: &mut Tx, user: UserId, folder: FolderId) -> Result<bool, StoreError> {
    query("SELECT EXISTS (SELECT 1 FROM folders WHERE id = $1 AND user_id = $2)")
        .bind(folder)
        .bind(user)
        .fetch_one(tx)
        .await
}

/// Whether `folder` is `outer` or in it, however deep. UNION, which drops what it has seen, ends whatever the rows say.
async fn is_within(tx: &mut Tx, folder: FolderId, outer: FolderId) -> Result<bool, StoreError> {
    query(
        "WITH RECURSIVE above (id, parent_id) AS (\
         SELECT id, parent_id FROM folders WHERE id = $1 \
         UNION SELECT folders.id, folders.parent_id FROM folders JOIN above ON folders.id = above.parent_id) \
         SELECT EXISTS (SELECT 1 FROM above WHERE id = $2)",
    )
    .bind(folder)
    .bind(outer)
    .fetch_one(tx)
    .await
}

impl Record for Folder {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        let parent = row.get::<Option<&str>>("parent_id")?;
        Ok(Self {
            id: column::parsed(row, "id")?,
            parent: parent.map(|parent| column::parse("parent_id", parent)).transpose()?,
            name: row.get("name")?,
            color: row.get("color")?,
            icon: row.get("icon")?,
            created_at: column::required(row, "created_at")?,
            updated_at: column::required(row, "updated_at")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> Folder {
        let now = Timestamp::UNIX_EPOCH;
        let (name, parent, color, icon) = (name.to_owned(), None, None, None);
        Folder { id: FolderId::new(now), parent, name, color, icon, created_at: now, updated_at: now }
    }

    #[test]
    fn a_name_that_is_taken_gets_the_first_number_that_is_free() {
        let beside = ["Calls", "Calls (2)", "Notes"].map(str::to_owned);
        let children = ["Calls", "Calls (3)", "Drafts"].map(folder);
        assert_eq!(renamed(&beside, &children), [(children[0].id, "Calls (4)".to_owned())]);
    }

    #[test]
    fn a_numbered_name_is_no_longer_than_a_name_may_be() {
        let longest = "名".repeat(NAME);
        let name = numbered(&longest, 12);
        assert_eq!(name.chars().count(), NAME);
        assert!(name.ends_with("名 (12)"));
    }
}
