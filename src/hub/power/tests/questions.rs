//! Questions about inverters and their answers.

use super::*;
use crate::model::desk::Query;
use crate::model::power::{Grain, PowerQuery, Sample};

impl Rig {
    fn wonder(&self, query: PowerQuery) {
        self.hub.ask(Query::Power(query)).unwrap();
    }
}

fn roof() -> String {
    "roof".to_owned()
}

#[tokio::test(start_paused = true)]
async fn registers_and_settings_come_from_what_the_bus_knows() {
    let mut rig = Rig::new();
    let known = values(&[("discharge_end_soc", &[20])], rig.clock.now());
    rig.wonder(PowerQuery::Registers { inverter: roof() });
    let BusOrder::Look { unit: 0, answer } = rig.order().await else { panic!() };
    answer.send(known.clone()).unwrap();
    let PowerAnswer::Registers { inverter, rows: Ok(rows) } = rig.answer().await else { panic!() };
    let shown = |id: &str| rows.iter().find(|row| row.id == id).unwrap().shown.clone();
    assert_eq!((inverter, shown("discharge_end_soc")), (roof(), Some("20 %".into())));

    rig.wonder(PowerQuery::Settings { inverter: roof() });
    let BusOrder::Look { answer, .. } = rig.order().await else { panic!() };
    answer.send(known).unwrap();
    let PowerAnswer::Settings { rows: Ok(rows), .. } = rig.answer().await else { panic!() };
    let row = rows.iter().find(|row| row.id == "discharge_end_soc").unwrap();
    assert_eq!((row.value.as_deref(), row.writes_today), (Some("20 %"), 0));
}

#[tokio::test(start_paused = true)]
async fn changes_are_judged_with_what_wear_says_to_them() {
    let mut rig = Rig::new();
    rig.answers(0).await;
    rig.set("discharge_end_soc", "35");
    let ticket = rig.judge(vec![row("discharge_end_soc", false)]).await;
    let ends = vec![done("discharge_end_soc", Written::Taken)];
    rig.tell_unit(0, UnitEvent::Written { ticket, done: Ok(ends) }).await;
    rig.outcome(ticket).await;
    let settings = vec![Wanted { id: "discharge_end_soc".into(), text: "40".into(), shown: None }];
    let none = values(&[], Time::ZERO);
    for (unchanged, is_fine) in [(false, false), (true, true)] {
        rig.wonder(PowerQuery::CheckChanges { inverter: roof(), settings: settings.clone() });
        let BusOrder::Check { answer, armed: true, .. } = rig.order_but_looks(&none).await else { panic!() };
        answer.send(Ok(vec![row("discharge_end_soc", unchanged)])).unwrap();
        let PowerAnswer::Changes { settings: asked, rows, .. } = rig.answer().await else { panic!() };
        assert_eq!((asked, rows.is_ok()), (settings.clone(), is_fine), "{rows:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_question_is_answered_once_though_nobody_is_there_to_answer_it() {
    let mut rig = Rig::new();
    let why = |answer: PowerAnswer| match answer {
        PowerAnswer::Registers { rows: Err(why), .. } => why,
        answer => panic!("{answer:?}"),
    };
    rig.wonder(PowerQuery::Registers { inverter: "shed".into() });
    assert!(why(rig.answer().await).contains("roof, barn"));
    // One whose answer never comes keeps nobody else waiting.
    rig.wonder(PowerQuery::Registers { inverter: roof() });
    let BusOrder::Look { answer: slow, .. } = rig.order().await else { panic!() };
    rig.wonder(PowerQuery::Registers { inverter: "barn".into() });
    let BusOrder::Look { unit: 1, answer } = rig.order().await else { panic!() };
    answer.send(values(&[], Time::ZERO)).unwrap();
    let PowerAnswer::Registers { inverter, rows: Ok(_) } = rig.answer().await else { panic!() };
    assert_eq!(inverter, "barn");
    assert!(why(rig.answer().await).contains("does not answer"));
    drop(slow);
    rig.wonder(PowerQuery::Registers { inverter: roof() });
    let BusOrder::Look { answer, .. } = rig.order().await else { panic!() };
    drop(answer);
    assert!(why(rig.answer().await).contains("has ended"));
    rig.orders.close();
    rig.wonder(PowerQuery::Registers { inverter: roof() });
    assert!(why(rig.answer().await).contains("has ended"));
    assert!(rig.answers.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_history_comes_from_the_store() {
    let mut rig = Rig::new();
    let sample = |second: i64| Sample { at_ms: second * 1000, load_w: Some(500.0), ..Sample::default() };
    for second in (0..240).step_by(10) {
        rig.store.power_sample("roof", sample(1_800_000_000 + second));
    }
    rig.store.flush().unwrap();
    let (from_ms, until_ms) = (1_800_000_000_000, 1_800_000_240_000);
    rig.wonder(PowerQuery::History { inverter: Some(roof()), from_ms, until_ms, grain: Grain::Raw });
    let PowerAnswer::History { samples: Ok(samples), .. } = rig.answer().await else { panic!() };
    assert_eq!(samples.len(), 24);
    rig.wonder(PowerQuery::Energies { inverter: Some(roof()), from_ms, until_ms, by_day: true });
    let PowerAnswer::Energies { bars: Ok(bars), by_day: true, .. } = rig.answer().await else { panic!() };
    assert_eq!(bars.len(), 1);
    rig.wonder(PowerQuery::Energies { inverter: None, from_ms, until_ms: from_ms, by_day: true });
    let PowerAnswer::Energies { bars: Err(why), .. } = rig.answer().await else { panic!() };
    assert!(why.contains("before"), "{why}");
}
