//! `sunmill programs`: which there are, what is known of one, which ran, how they ended. Asked of the sunmill that runs, whose folders,
//! machine and history they are; where none does, read from the disk.

mod analyses;
mod attached;
mod browse;
mod command;
mod details;
mod history;

pub(super) use command::{ProgramsCommand, run};
