//! What panels give under a clear sky. Pure.
//!
//! The position of the sun is that of Grena (2012), by the crate `solar-positioning`; the light on its way through the air is
//! Meinel's, with the air mass of Kasten and Young; a tenth of it comes from the sky around. Good to a tenth or so, which is
//! enough for the shape of a day: how much of it comes through is learned from the history.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use solar_positioning::grena3;

/// Where panels are and how they look.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Degrees by which they are tilted.
    pub tilt: f64,
    /// Where they look: 0 north, 90 east, 180 south.
    pub azimuth: f64,
    /// Watts in full sun. `None`: only the shape of the day is known.
    pub peak_w: Option<f64>,
}

/// Difference between the clocks of the earth and of physics, in seconds: 69 in these years.
const DELTA_T_S: f64 = 69.0;
/// Light above the air, in W/m².
const ABOVE_AIR: f64 = 1353.0;

impl Place {
    /// Part of their watts in full sun that panels give at this moment under a clear sky.
    pub(super) fn clear(&self, at_ms: i64) -> f64 {
        let Some((zenith, azimuth)) = self.sun(at_ms) else { return 0.0 };
        let elevation = 90.0 - zenith;
        if elevation <= 0.0 {
            return 0.0;
        }
        let air = 1.0 / (elevation.to_radians().sin() + 0.505_72 * (elevation + 6.079_95).powf(-1.636_4));
        let direct = ABOVE_AIR * 0.7_f64.powf(air.powf(0.678));
        let (zenith, tilt) = (zenith.to_radians(), self.tilt.to_radians());
        let aside = (azimuth - self.azimuth).to_radians();
        let straight = zenith.cos() * tilt.cos() + zenith.sin() * tilt.sin() * aside.cos();
        let around = 0.1 * direct * f64::midpoint(1.0, tilt.cos());
        (direct * straight.max(0.0) + around) / 1000.0
    }

    /// Mean over an hour from here on.
    pub(super) fn clear_hour(&self, from_ms: i64) -> f64 {
        const QUARTER_MS: i64 = 15 * 60 * 1000;
        (0..4).map(|n| self.clear(from_ms + n * QUARTER_MS + QUARTER_MS / 2)).sum::<f64>() / 4.0
    }

    /// Zenith angle and azimuth of the sun, in degrees.
    pub(super) fn sun(&self, at_ms: i64) -> Option<(f64, f64)> {
        let at = Timestamp::from_millisecond(at_ms).ok()?.to_zoned(TimeZone::UTC);
        let days = grena3::calc_t_from_components(
            i32::from(at.year()),
            u32::from(at.month().unsigned_abs()),
            u32::from(at.day().unsigned_abs()),
            u32::from(at.hour().unsigned_abs()),
            u32::from(at.minute().unsigned_abs()),
            f64::from(at.second()),
        );
        let found = grena3::solar_position_from_t(days.ok()?, self.latitude, self.longitude, DELTA_T_S, None).ok()?;
        Some((found.zenith_angle(), found.azimuth()))
    }
}
