//! Programs: how fast they are read from end to end, what that costs in memory, and how long a picture takes.

mod support;

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use sunmill::model::Firmware;
use sunmill::model::program::report::{Frame, Report};
use sunmill::model::program::toolpath::Toolpath;
use sunmill::program::estimate::{EstimateModel, Estimator};
use sunmill::program::motion::{Motion, Speed, Straight};
use sunmill::program::{Analysis, AnalysisConfig, Dialect};
use sunmill::ui::Settings;
use sunmill::ui::preview::{Dots, PreviewState, View};
use sunmill::ui::theme::Theme;
use sunmill::ui::view::{Picture, draw_preview};
use support::{NO_BUDGET, Samples, heading, row, title, value};

const CHUNK: usize = 64 * 1024;
const FRAMES: usize = 100;
/// Readings of each program: what else the computer does makes some of them slower.
const READINGS: usize = 7;

fn main() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    title("Analysis of a program, file to report and tool path");
    let mut largest = None;
    for (name, lines) in [("1 M lines", 1_000_000), ("5 M lines", 5_000_000)] {
        let file = folder.path().join("program.nc");
        generate(&file, lines)?;
        let mut times = Vec::new();
        let mut analysed = analyse(&file)?;
        for _ in 1..READINGS {
            times.push((analysed.took, analysed.cpu));
            analysed = analyse(&file)?;
        }
        times.push((analysed.took, analysed.cpu));
        let rate = |took: Option<Duration>| lines as f64 / took.unwrap_or_default().as_secs_f64() / 1e6;
        let mut core: Vec<Duration> = times.iter().map(|(_, core)| *core).collect();
        core.sort_unstable();
        value(
            &format!("{name}, by the wall clock"),
            rate(times.iter().map(|(took, _)| *took).min()),
            "M lines/s",
            NO_BUDGET,
        );
        for (which, took, budget) in [
            ("slowest", core.last(), NO_BUDGET),
            ("median", core.get(READINGS / 2), ">= 3"),
            ("fastest", core.first(), NO_BUDGET),
        ] {
            value(&format!("{name}, on the core, {which}"), rate(took.copied()), "M lines/s", budget);
        }
        value(&format!("{name}, memory"), analysed.growth_mib, "MiB more at the peak", "< 32");
        value(&format!("{name}, path"), analysed.path.bytes() as f64 / f64::from(1 << 20), "MiB", "<= 16");
        let tolerance = analysed.path.finest().map_or(0.0, |level| level.tolerance_mm);
        value(&format!("{name}, path"), f64::from(tolerance), "mm from the original", NO_BUDGET);
        assert_eq!((analysed.report.lines, analysed.report.errors), (lines + 2, 0));
        largest = Some(analysed.path);
    }
    value("estimate alone", estimate_ns(), "ns a block", NO_BUDGET);
    if let Some(path) = &largest {
        frames(path);
    }
    Ok(())
}

/// Short moves along a path that wanders over the table, as of a finishing cut: `G1 X99.951 Y99.907`.
fn generate(file: &Path, lines: u64) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(file)?);
    writeln!(out, "G21 G90 G94 M3 S10000\nG1 X0 Y0 Z-1 F1500")?;
    let mut noise = 1_u32;
    for n in 0..lines {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let ripple = f64::from(noise >> 16) / 65_536.0 * 0.05;
        // Rows of 200 mm, there and back, 0.1 mm a line; and a bow over them.
        let (row, column) = (n / 2000, n % 2000);
        let along = if row % 2 == 0 { column } else { 2000 - column } as f64 * 0.1;
        let across = row as f64 * 0.05 + ripple + (along * 0.3).sin();
        writeln!(out, "G1 X{along:.3} Y{across:.3}")?;
    }
    out.flush()
}

struct Analysed {
    took: Duration,
    cpu: Duration,
    growth_mib: f64,
    report: Report,
    path: Toolpath,
}

fn analyse(file: &Path) -> io::Result<Analysed> {
    // Forgets the peak so far.
    fs::write("/proc/self/clear_refs", "5")?;
    let before = memory_kib("VmHWM:")?;
    let mut file = File::open(file)?;
    let (start, cpu) = (Instant::now(), on_core()?);
    let mut analysis =
        Analysis::new(AnalysisConfig { dialect: Dialect::new(Firmware::FluidNc, 3), model: EstimateModel::default() });
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = file.read(&mut chunk)?;
        if count == 0 {
            break;
        }
        analysis.feed(&chunk[..count]);
    }
    let (report, path) = analysis.finish();
    let (took, cpu) = (start.elapsed(), on_core()?.saturating_sub(cpu));
    let growth_mib = (memory_kib("VmHWM:")? - before) / 1024.0;
    Ok(Analysed { took, cpu, growth_mib, report, path })
}

/// Time that this thread has had a core, whatever else the computer does.
fn on_core() -> io::Result<Duration> {
    let told = fs::read_to_string("/proc/self/schedstat")?;
    let nanos = told.split_whitespace().next().and_then(|nanos| nanos.parse().ok());
    nanos.map(Duration::from_nanos).ok_or_else(|| io::Error::other("the kernel does not tell the time on the core"))
}

fn memory_kib(field: &str) -> io::Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kib.ok_or_else(|| io::Error::other(format!("the kernel does not tell {field}")))
}

/// Cost of a block in the estimate: a zigzag of short pieces, each of which changes all that is queued.
fn estimate_ns() -> f64 {
    const BLOCKS: u32 = 1_000_000;
    let mut estimator = Estimator::new(EstimateModel::default());
    let point = |n: u32| {
        let mut point = [0.0; 9];
        point[0] = f64::from(n) * 0.05;
        point[1] = f64::from(n % 2) * 0.01;
        point
    };
    let start = Instant::now();
    for n in 0..BLOCKS {
        let straight = Straight {
            from: point(n),
            known: 0b111,
            to: point(n + 1),
            axes: 0b11,
            named: 0b11,
            frame: Frame::Active,
            speed: Speed::MmMin(3000.0),
        };
        estimator.add(&Motion::Straight(straight), u64::from(n));
    }
    black_box(estimator.finish());
    start.elapsed().as_nanos() as f64 / f64::from(BLOCKS)
}

/// Pictures of the longest path.
fn frames(path: &Toolpath) {
    heading("Time to draw a picture of 5 M segments");
    let theme = Theme::new(&Settings::default());
    for (width, height) in [(80, 24), (200, 60)] {
        for (view, zoom) in [(View::Xy, 0), (View::Isometric, 0), (View::Xy, 6), (View::Xy, 12)] {
            let mut state = PreviewState::of(view);
            (0..zoom).for_each(|_| state.zoom_in());
            let picture = Picture {
                path,
                state: &state,
                dots: Dots::Braille,
                progress_line: Some(2_500_000),
                tool: Some([100.0, 50.0, 0.0]),
            };
            let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
            let samples = Samples::of(FRAMES, || {
                buf.reset();
                draw_preview(&picture, &theme, buf.area, &mut buf);
                black_box(&buf);
            });
            let name = format!("{width}x{height}, {}, zoom {:.0}", view.name(), state.zoom());
            row(&name, &samples, "< 30 ms");
        }
    }
}
