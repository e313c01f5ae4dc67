//! Systems around accelerators: servers, racks, boards and cloud instances.

use super::names::dashed;
use super::record::{File, Load, Row, ordered, record};

record! {
    /// A server, a rack, a board or a cloud instance; host power is everything that is not an accelerator.
    pub Server = "server" {
        /// Key.
        id: String,
        /// Name.
        name: String,
        /// Maker or cloud.
        vendor: String,
        /// server, rack, board, chip-host or cloud-instance.
        kind: String,
        /// Year of release.
        release_year: Option<f64> = "year" [2005.0, 2100.0],
        /// Hardware it carries.
        accelerator_id: String,
        /// Accelerators, as a tenant gets them in a cloud instance.
        accelerators: Option<f64> = "" [0.01, 10_000.0],
        /// Vendor maximum of the whole system at the wall.
        max_power_w: Option<f64> = "W" [10.0, 5_000_000.0],
        /// What the maximum is.
        max_power_basis: Option<String>,
        /// Published meter reading at load, whole system.
        measured_max_w: Option<f64> = "W" [10.0, 5_000_000.0],
        /// Whole system without load.
        idle_power_w: Option<f64> = "W" [1.0, 1_000_000.0],
        /// Where the idle power comes from.
        idle_basis: Option<String>,
        /// Host without load.
        host_idle_w: Option<f64> = "W" [0.0, 1_000_000.0],
        /// Host under load, low.
        host_low_w: Option<f64> = "W" [0.0, 1_000_000.0],
        /// Host under load, typical.
        host_typical_w: Option<f64> = "W" [0.0, 1_000_000.0],
        /// Host under load, high.
        host_high_w: Option<f64> = "W" [0.0, 1_000_000.0],
        /// Where the host power comes from.
        host_basis: Option<String>,
        /// Processor.
        cpu: Option<String>,
        /// Processor sockets.
        cpu_sockets: Option<f64> = "" [1.0, 1_000.0],
        /// Virtual processors of an instance.
        vcpus: Option<f64> = "" [1.0, 100_000.0],
        /// Main memory.
        dram_gib: Option<f64> = "GiB" [0.5, 1_000_000.0],
        /// Network cards.
        nics: Option<String>,
        /// Network bandwidth, all cards added.
        nic_gbps: Option<f64> = "Gbit/s" [0.1, 1_000_000.0],
        /// Power supplies.
        psu: Option<String>,
        /// Height.
        rack_units: Option<f64> = "U" [1.0, 100.0],
        /// Mass.
        mass_kg: Option<f64> = "kg" [0.1, 10_000.0],
        /// How it is cooled.
        cooling: Option<String>,
        /// Share of the heat that liquid takes.
        liquid_fraction: Option<f64> = "" [0.0, 1.0],
        /// Cloud of an instance.
        cloud_provider: Option<String>,
        /// Server behind an instance; inferred, never stated by a cloud.
        host_server_id: Option<String>,
        /// Share of that server the tenant holds.
        host_share: Option<f64> = "" [0.001, 1.0],
        /// Embodied item for the whole system.
        embodied_item: Option<String>,
        /// Source key and columns it covers.
        cell_sources: Option<String>,
        /// A remark.
        note: Option<String>,
    }
}

impl Load for Server {
    const FILES: &'static [File] =
        &[File { name: "servers.csv", text: include_str!("data/servers.csv"), prefix: "", sources: None }];

    fn build(row: &Row<'_>) -> Result<Self, String> {
        let server = Self::read(row);
        ordered("host power", [server.host_low_w, server.host_typical_w, server.host_high_w])?;
        Ok(server)
    }

    fn respell(rows: &[Self], key: &str) -> Vec<usize> {
        rows.iter().enumerate().filter(|(_, row)| dashed(&row.name) == key).map(|(index, _)| index).collect()
    }
}
