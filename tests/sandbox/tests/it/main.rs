//! Tests of the whole sandbox over real connections: one binary, one module per subject.
#![cfg(test)]

mod admin;
mod authvital_g1;
mod authvital_g2;
mod clerk;
mod command_line;
mod contract;
mod cors;
mod faults;
mod harness;
mod ksef;
mod page;
mod rest;
mod server;
mod wires;
