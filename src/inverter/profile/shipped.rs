//! The profiles that come with the program.

use super::build::{Problem, parse};
use super::types::Profile;

/// Name and text of each, in the order of lists.
pub const SHIPPED: &[(&str, &str)] = &[
    ("deye_3p_lv", include_str!("../../../assets/inverters/deye_3p_lv.toml")),
    ("deye_sunsynk_solark_1p", include_str!("../../../assets/inverters/deye_sunsynk_solark_1p.toml")),
    ("easun_smg_ii", include_str!("../../../assets/inverters/easun_smg_ii.toml")),
    ("growatt_mod_minxh", include_str!("../../../assets/inverters/growatt_mod_minxh.toml")),
    ("growatt_sph", include_str!("../../../assets/inverters/growatt_sph.toml")),
    ("senergy_hybrid", include_str!("../../../assets/inverters/senergy_hybrid.toml")),
    ("solis_hybrid", include_str!("../../../assets/inverters/solis_hybrid.toml")),
    ("srne_easun_isolar", include_str!("../../../assets/inverters/srne_easun_isolar.toml")),
    ("sungrow_sh", include_str!("../../../assets/inverters/sungrow_sh.toml")),
    ("victron_gx", include_str!("../../../assets/inverters/victron_gx.toml")),
];

/// A profile that comes with the program, by its name or its beginning where only one begins so (`senergy`).
/// `None`: there is no such profile. A test reads all of them, so problems never ship.
pub fn shipped(name: &str) -> Option<Result<Profile, Vec<Problem>>> {
    let exact = SHIPPED.iter().find(|(known, _)| *known == name);
    let mut begins = SHIPPED.iter().filter(|(known, _)| known.starts_with(name) && !name.is_empty());
    let only = begins.next().filter(|_| begins.next().is_none());
    exact.or(only).map(|(_, text)| parse(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_profile_is_in_order() {
        for (name, text) in SHIPPED {
            match parse(text) {
                Ok(profile) => assert_eq!(profile.name, *name),
                Err(problems) => {
                    let list: Vec<String> = problems.iter().map(ToString::to_string).collect();
                    panic!("{name}:\n{}", list.join("\n"));
                }
            }
        }
    }

    #[test]
    fn a_beginning_is_enough_where_it_is_plain() {
        assert_eq!(shipped("senergy").unwrap().unwrap().name, "senergy_hybrid");
        assert!(shipped("growatt").is_none() && shipped("").is_none() && shipped("tesla").is_none());
    }
}
