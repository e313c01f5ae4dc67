//! What a machine took to make and leaves behind: the sum of its parts, and the share of it that a use bears.
//!
//! ```text
//! burden    = Σ over parts  quantity · burden of a part
//! amortised = burden · t/T
//! booked    = burden of machines, in the year of purchase
//! ```
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | burden | emissions; abiotic depletion; primary energy; water; mass | kgCO2e; kg Sb eq; MJ; L; kg |
//! | t | time that the machine stands there for the use, idle or not | s |
//! | T | its service life | s |
//!
//! Time that stands there and idles is borne as time that works: a machine ages in both. Over a whole life the amortised
//! shares of machines are what was booked (a test); the building is nobody's purchase of that year. Lows are added to lows and highs to highs, as if every part were off to one side:
//! the range of a sum is never narrower than that of its parts.
//!
//! Source: parts as in ISO 14040/14044 inventories, rows of the catalog (`embodied-parts.csv`, `embodied-bills.csv`);
//! amortised by time as in the Green Software Foundation's Software Carbon Intensity, booked as in GHG Protocol Scope 3
//! category 2. Range: any. Error: of the parts; docs/method/embodied-burden.md.

/// A value between its ends.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Range {
    /// Low end.
    pub low: f64,
    /// Central value.
    pub value: f64,
    /// High end.
    pub high: f64,
}

impl Range {
    /// A value whose ends are not known.
    #[must_use]
    pub const fn exact(value: f64) -> Self {
        Self { low: value, value, high: value }
    }

    /// The sum, end by end.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { low: self.low + other.low, value: self.value + other.value, high: self.high + other.high }
    }

    /// The product of two that are not negative, end by end.
    #[must_use]
    pub fn times(self, other: Self) -> Self {
        Self { low: self.low * other.low, value: self.value * other.value, high: self.high * other.high }
    }
}

/// What making, bringing and scrapping a thing takes.
///
/// ```
/// use wattledger::physics::embodied::{Burden, Range};
/// let board = Burden { gwp_kg: Range { low: 10.0, value: 12.0, high: 20.0 }, mass_kg: Range::exact(1.5), ..Burden::ZERO };
/// let two = board.times(2.0);
/// assert_eq!((two.gwp_kg.value, two.gwp_kg.high, two.mass_kg.value), (24.0, 40.0, 3.0));
/// assert_eq!(board.plus(&board), two);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Burden {
    /// Emissions, kgCO2e.
    pub gwp_kg: Range,
    /// Abiotic depletion of elements, kg of antimony equivalent.
    pub adpe_kg_sb: Range,
    /// Primary energy, MJ.
    pub primary_energy_mj: Range,
    /// Water consumed, L.
    pub water_l: Range,
    /// Mass, which is waste in the end, kg.
    pub mass_kg: Range,
}

impl Burden {
    /// Nothing.
    pub const ZERO: Self = {
        let zero = Range::exact(0.0);
        Self { gwp_kg: zero, adpe_kg_sb: zero, primary_energy_mj: zero, water_l: zero, mass_kg: zero }
    };

    /// The five in the order of the struct.
    #[must_use]
    pub fn parts(&self) -> [Range; 5] {
        [self.gwp_kg, self.adpe_kg_sb, self.primary_energy_mj, self.water_l, self.mass_kg]
    }

    /// Each with the same done to it.
    fn each(&self, change: impl Fn(Range) -> Range) -> Self {
        let [gwp_kg, adpe_kg_sb, primary_energy_mj, water_l, mass_kg] = self.parts().map(change);
        Self { gwp_kg, adpe_kg_sb, primary_energy_mj, water_l, mass_kg }
    }

    /// So many of it.
    #[must_use]
    pub fn times(&self, quantity: f64) -> Self {
        self.by(Range::exact(quantity))
    }

    /// A quantity between two ends of it.
    #[must_use]
    pub fn by(&self, quantity: Range) -> Self {
        self.each(|range| range.times(quantity))
    }

    /// The same between the low ends of one and the high ends of another.
    #[must_use]
    pub fn between(&self, low: &Self, high: &Self) -> Self {
        let range = |own: Range, low: Range, high: Range| Range { low: low.low, value: own.value, high: high.high };
        Self {
            gwp_kg: range(self.gwp_kg, low.gwp_kg, high.gwp_kg),
            adpe_kg_sb: range(self.adpe_kg_sb, low.adpe_kg_sb, high.adpe_kg_sb),
            primary_energy_mj: range(self.primary_energy_mj, low.primary_energy_mj, high.primary_energy_mj),
            water_l: range(self.water_l, low.water_l, high.water_l),
            mass_kg: range(self.mass_kg, low.mass_kg, high.mass_kg),
        }
    }

    /// Its low ends as values.
    #[must_use]
    pub fn low(&self) -> Self {
        self.each(|range| Range::exact(range.low))
    }

    /// Its high ends as values.
    #[must_use]
    pub fn high(&self) -> Self {
        self.each(|range| Range::exact(range.high))
    }

    /// Both.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            gwp_kg: self.gwp_kg.plus(other.gwp_kg),
            adpe_kg_sb: self.adpe_kg_sb.plus(other.adpe_kg_sb),
            primary_energy_mj: self.primary_energy_mj.plus(other.primary_energy_mj),
            water_l: self.water_l.plus(other.water_l),
            mass_kg: self.mass_kg.plus(other.mass_kg),
        }
    }

    /// The share that some time of a service life bears.
    ///
    /// ```
    /// use wattledger::physics::embodied::{Burden, Range};
    /// // The golden value of the SCI specification: 1 t over four years, for an hour.
    /// let server = Burden { gwp_kg: Range::exact(1000.0), ..Burden::ZERO };
    /// let hour = server.amortised(3600.0, 126_144_000.0);
    /// assert!((hour.gwp_kg.value * 1e3 - 28.538812785388128).abs() < 1e-12);
    /// ```
    #[must_use]
    pub fn amortised(&self, time_s: f64, life_s: f64) -> Self {
        self.times(time_s / life_s)
    }
}
