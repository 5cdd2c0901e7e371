//! Who is at the other end, by what the kernel says, and what they may do.

use std::time::Duration;

use nix::unistd::{Gid, Group, Uid, User, getgrouplist};
use tokio::net::UnixStream;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::model::role::Role;

/// Where users are looked up may be far away; who cannot be looked up so long is a number, and no member of any group.
const LOOK_UP: Duration = Duration::from_secs(2);
/// Number of the terminals that are consoles of this computer (`/dev/tty1` to `/dev/tty63`).
const CONSOLE_MAJOR: u64 = 4;
const LAST_CONSOLE: u64 = 63;

/// What those who may open the socket may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Roles of groups, by their names. Who is in several has the highest.
    pub groups: Vec<(String, Role)>,
    /// The role of who is in none of them.
    pub others: Role,
}

impl Default for Access {
    /// Who may open the socket operates.
    fn default() -> Self {
        Self { groups: Vec::new(), others: Role::Operate }
    }
}

/// Who a client is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Who {
    /// In words.
    pub(super) user: String,
    pub(super) uid: Option<u32>,
    pub(super) pid: Option<i32>,
    pub(super) role: Role,
    /// At a console of this computer.
    pub(super) console: bool,
}

/// Who is at the other end of this socket.
pub(super) async fn at_the_other_end(stream: &UnixStream, access: &Access) -> Who {
    let (uid, pid) = stream.peer_cred().map_or((None, None), |cred| (Some(cred.uid()), cred.pid()));
    let unknown = Who {
        user: uid.map_or_else(|| "somebody".to_owned(), |uid| format!("uid {uid}")),
        uid,
        pid,
        // Root, and whoever runs the hub, can do all of it without the socket too.
        role: if uid.is_some_and(is_master) { Role::Admin } else { Role::Observe },
        console: false,
    };
    let (access, fallback) = (access.clone(), unknown.clone());
    let looked_up = spawn_blocking(move || look_up(unknown, &access));
    match timeout(LOOK_UP, looked_up).await {
        Ok(Ok(who)) => who,
        _ => {
            tracing::warn!(?uid, "a user cannot be looked up");
            fallback
        }
    }
}

/// Number and name of the user who runs this process; the name is the number where nobody knows it.
pub async fn this_user() -> (u32, String) {
    let uid = Uid::current();
    let named = spawn_blocking(move || User::from_uid(uid).ok().flatten().map(|user| user.name));
    let name = timeout(LOOK_UP, named).await.ok().and_then(Result::ok).flatten();
    (uid.as_raw(), name.unwrap_or_else(|| format!("uid {uid}")))
}

fn look_up(mut who: Who, access: &Access) -> Who {
    who.console = who.pid.is_some_and(is_at_console);
    let Some(uid) = who.uid else { return who };
    let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    if !is_master(uid) {
        who.role = role_of(user.as_ref(), access);
    }
    if let Some(user) = user {
        who.user = user.name;
    }
    who
}

fn is_master(uid: u32) -> bool {
    uid == 0 || Uid::effective().as_raw() == uid
}

/// The highest role of the groups that the user is in.
fn role_of(user: Option<&User>, access: &Access) -> Role {
    let groups = user.map_or_else(Vec::new, groups_of);
    let is_in = |name: &str| {
        let group = Group::from_name(name).ok().flatten();
        group.is_some_and(|group| groups.contains(&group.gid))
    };
    let of_groups = access.groups.iter().filter(|(name, _)| is_in(name)).map(|(_, role)| *role).max();
    of_groups.unwrap_or(access.others)
}

fn groups_of(user: &User) -> Vec<Gid> {
    let name = std::ffi::CString::new(user.name.as_str());
    name.ok().and_then(|name| getgrouplist(&name, user.gid).ok()).unwrap_or_else(|| vec![user.gid])
}

/// Whether a process has a console of this computer for its terminal: an SSH session, tmux or a service has not.
fn is_at_console(pid: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| names_console(&stat))
}

/// The seventh field of `/proc/PID/stat` is the terminal; the second, in brackets, may hold anything.
fn names_console(stat: &str) -> bool {
    let terminal = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(4)?.parse::<u64>().ok());
    terminal.is_some_and(|number| {
        let (major, minor) = (number >> 8 & 0xfff, number & 0xff);
        major == CONSOLE_MAJOR && (1..=LAST_CONSOLE).contains(&minor)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_is_told_from_other_terminals() {
        let stat = |tty: u64| format!("812 (a ) strange(name) S 1 812 812 {tty} 812 4194304 0");
        assert!(names_console(&stat(4 << 8 | 1)));
        assert!(!names_console(&stat(136 << 8 | 3)), "SSH");
        assert!(!names_console(&stat(4 << 8 | 64)), "a serial port");
        assert!(!names_console(&stat(0)) && !names_console(""), "no terminal");
    }

    #[test]
    fn the_highest_group_counts_and_who_is_in_none_is_one_of_the_others() {
        let root = User::from_uid(Uid::from_raw(0)).unwrap();
        let access = |groups: &[(&str, Role)]| Access {
            groups: groups.iter().map(|(name, role)| ((*name).to_owned(), *role)).collect(),
            others: Role::Stop,
        };
        let role = |groups: &[(&str, Role)]| role_of(root.as_ref(), &access(groups));
        assert_eq!(role(&[("root", Role::Observe)]), Role::Observe);
        assert_eq!(role(&[("root", Role::Observe), ("root", Role::Operate)]), Role::Operate);
        assert_eq!(role(&[("no such group here", Role::Admin)]), Role::Stop);
        assert_eq!(role_of(None, &access(&[("root", Role::Admin)])), Role::Stop, "nobody knows this user");
    }

    #[tokio::test]
    async fn who_runs_the_hub_is_its_admin_and_has_a_name() {
        let (stream, _other) = UnixStream::pair().unwrap();
        let who = at_the_other_end(&stream, &Access { groups: Vec::new(), others: Role::Observe }).await;
        assert_eq!(who.role, Role::Admin);
        assert!(!who.user.is_empty() && who.uid.is_some() && who.pid.is_some(), "{who:?}");
    }
}
