//! Names inside names: what paths, resource names, regions, dates and formats wrap around the name of a model.
//!
//! A name that no table lists is taken apart one layer at a time, the same way for every model, and looked up again after
//! each step; what was taken off is kept, so that the answer explains itself. Nothing is guessed: what is left has to be
//! a name that a table lists.

/// What can be taken off, in the order of the bits of [`Taken`].
const WORDS: [&str; 10] =
    ["resource name", "repository cache", "fine-tune", "path", "region", "version", "tag", "date", "format", "vendor"];
const RESOURCE: u16 = 1;
const CACHE: u16 = 1 << 1;
const FINE_TUNE: u16 = 1 << 2;
const PATH: u16 = 1 << 3;
const REGION: u16 = 1 << 4;
const VERSION: u16 = 1 << 5;
const TAG: u16 = 1 << 6;
const DATE: u16 = 1 << 7;
const FORMAT: u16 = 1 << 8;
const VENDOR: u16 = 1 << 9;

/// Prefixes by which Bedrock says where an inference profile may run.
const REGIONS: [&str; 9] = ["us.", "us-gov.", "eu.", "apac.", "jp.", "au.", "ca.", "sa.", "global."];
/// Prefixes by which Bedrock says whose a model is.
const VENDORS: [&str; 20] = [
    "anthropic.",
    "openai.",
    "qwen.",
    "xai.",
    "google.",
    "deepseek.",
    "moonshotai.",
    "moonshot.",
    "mistral.",
    "meta.",
    "amazon.",
    "cohere.",
    "ai21.",
    "minimax.",
    "nvidia.",
    "zai.",
    "stability.",
    "writer.",
    "twelvelabs.",
    "luma.",
];
/// Tags that say how a model is served and not which one it is.
const TAGS: [&str; 8] = ["free", "beta", "nitro", "floor", "extended", "online", "exacto", "latest"];
/// Endings by which hosts say the same.
const HOSTED: [&str; 5] = ["-turbo-free", "-free", "-maas", "[1m]", "-instruct-tee"];
/// How names of quantised copies end, and the precision they speak of.
const FORMATS: [(&str, &str); 30] = [
    ("-fp8-dynamic", "fp8"),
    ("-fp8-block", "fp8"),
    ("-fp8-kv", "fp8"),
    ("-fp8", "fp8"),
    ("-nvfp4", "nvfp4"),
    ("-mxfp4", "mxfp4"),
    ("-fp4", "fp4"),
    ("-gptq-int4", "int4"),
    ("-gptq-int8", "int8"),
    ("-gptq-4b-128g", "int4"),
    ("-gptq", "int4"),
    ("-awq-int4", "int4"),
    ("-int4-awq", "int4"),
    ("-awq", "int4"),
    ("-quantized.w8a8", "int8"),
    ("-quantized.w4a16", "int4"),
    ("-quantized.w8a16", "int8"),
    ("-w4a16", "int4"),
    ("-w8a8", "int8"),
    ("-int4", "int4"),
    ("-int8", "int8"),
    ("-bnb-4bit", "int4"),
    ("-4bit", "int4"),
    ("-8bit", "int8"),
    ("-bf16", "bf16"),
    ("-fp16", "fp16"),
    ("-f16", "fp16"),
    ("-qat", "int4"),
    ("-gguf", ""),
    (".gguf", ""),
];
/// Formats of llama.cpp that end a name after a dash, a dot or a colon, and the precision they speak of.
const GGUF: [(&str, &str); 17] = [
    ("q2_k", "q2_k"),
    ("q3_k_s", "q3_k_s"),
    ("q3_k_m", "q3_k_m"),
    ("q3_k_l", "q3_k_l"),
    ("q4_0", "q4_0"),
    ("q4_1", "q4_1"),
    ("q4_k_s", "q4_k_s"),
    ("q4_k_m", "q4_k_m"),
    ("q5_0", "q5_0"),
    ("q5_k_s", "q5_k_s"),
    ("q5_k_m", "q5_k_m"),
    ("q6_k", "q6_k"),
    ("q8_0", "q8_0"),
    ("iq4_xs", "iq4_xs"),
    ("iq3_xs", "iq3_xs"),
    ("bf16", "bf16"),
    ("f16", "fp16"),
];

/// What was taken off a name to find its row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken(u16);

impl Taken {
    /// Whether nothing was.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a path was, so that what is left is the end of one.
    pub(super) fn has_path(self) -> bool {
        self.0 & (PATH | CACHE) != 0
    }

    /// The layers in words, such as `path` and `date`.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        WORDS.into_iter().enumerate().filter(move |(bit, _)| self.0 >> bit & 1 == 1).map(|(_, word)| word)
    }
}

/// What is left of a name after some layers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reduced {
    pub name: String,
    pub taken: Taken,
    /// Precision that a layer spoke of.
    pub precision_hint: &'static str,
}

/// The name, in lower case, with one layer after the other taken off; not the name itself.
///
/// The steps, each tried in this order until none applies: a cloud's resource name, a repository's folder in a cache, a
/// fine-tune, the first part of a path, the region of an inference profile, its vendor, a version after `@`, a tag, a date,
/// a format.
pub(super) fn reductions(name: &str) -> impl Iterator<Item = Reduced> {
    let mut current = Reduced { name: name.to_owned(), taken: Taken::default(), precision_hint: "" };
    std::iter::from_fn(move || {
        let (layer, rest, hint) = peel(&current.name)?;
        let precision_hint = if hint.is_empty() { current.precision_hint } else { hint };
        current = Reduced { name: rest, taken: Taken(current.taken.0 | layer), precision_hint };
        Some(current.clone())
    })
}

/// The outermost layer, what is left without it, and the precision it spoke of.
fn peel(name: &str) -> Option<(u16, String, &'static str)> {
    let kept = |layer: u16, rest: &str| (!rest.is_empty()).then(|| (layer, rest.to_owned(), ""));
    if let Some((_, rest)) = name.rsplit_once('\\') {
        return kept(PATH, rest);
    }
    if let Some(rest) = name.strip_prefix("azureml://").and_then(|rest| rest.split_once("/models/")) {
        return kept(RESOURCE, rest.1.split('/').next()?);
    }
    if name.starts_with("arn:") {
        return kept(RESOURCE, name.rsplit('/').next()?).filter(|(_, rest, _)| rest != name);
    }
    if let Some((_, rest)) = name.split_once("publishers/").and_then(|(_, rest)| rest.split_once("/models/")) {
        return kept(RESOURCE, rest);
    }
    if let Some(folder) = name.split('/').find_map(|part| part.strip_prefix("models--")) {
        let repository = folder.replacen("--", "/", 1);
        return Some((CACHE, repository, ""));
    }
    if let Some(rest) = name.strip_prefix("ft:") {
        return kept(FINE_TUNE, rest.split(':').next()?);
    }
    if let Some((rest, _)) = name.split_once(".ft-") {
        return kept(FINE_TUNE, rest);
    }
    if let Some((_, rest)) = name.trim_end_matches('/').split_once('/') {
        return kept(PATH, rest.trim_start_matches('/'));
    }
    if let Some(rest) = REGIONS.iter().find_map(|region| name.strip_prefix(region)) {
        return kept(REGION, rest);
    }
    if let Some(rest) = VENDORS.iter().find_map(|vendor| name.strip_prefix(vendor)) {
        return kept(VENDOR, rest);
    }
    if let Some((rest, _)) = name.split_once('@') {
        return kept(VERSION, rest);
    }
    if let Some((rest, tag)) = name.rsplit_once(':') {
        // Bedrock counts releases and says the context; Replicate names a build.
        let counted = |tag: &str| tag.len() < 5 && tag.trim_end_matches('k').bytes().all(|byte| byte.is_ascii_digit());
        let build = tag.len() >= 32 && tag.bytes().all(|byte| byte.is_ascii_hexdigit());
        if TAGS.contains(&tag) || counted(tag) || build {
            return kept(TAG, rest);
        }
    }
    for (ending, hint) in GGUF {
        let rest = name.strip_suffix(ending).and_then(|rest| rest.strip_suffix(['-', '.', ':', '_']));
        if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
            return Some((FORMAT, rest.to_owned(), hint));
        }
    }
    if let Some(rest) = HOSTED.iter().find_map(|ending| name.strip_suffix(ending)) {
        return kept(TAG, rest);
    }
    if let Some(rest) = undated(name) {
        return kept(DATE, rest);
    }
    FORMATS.iter().find_map(|(ending, hint)| {
        let rest = name.strip_suffix(ending).filter(|rest| !rest.is_empty())?;
        Some((FORMAT, rest.to_owned(), *hint))
    })
}

/// How dates and numbered releases stand at the end of a name: `-2024-08-06`, `-20240806`, `-preview-05-06`, `-001`, `-v1`.
const DATES: [&str; 9] = [
    "-20dd-dd-dd",
    "-20dddddd",
    "-preview-dd-dd",
    "-preview-dd-20dd",
    "-dd-20dd",
    "-dd-dd",
    "-preview-00d",
    "-00d",
    "-vd",
];

/// A name without the date at its end.
fn undated(name: &str) -> Option<&str> {
    let dated = |pattern: &str| {
        let at = name.len().checked_sub(pattern.len()).filter(|at| name.is_char_boundary(*at))?;
        let fits = name[at..].bytes().zip(pattern.bytes()).all(|(byte, wanted)| match wanted {
            b'd' => byte.is_ascii_digit(),
            _ => byte == wanted,
        });
        fits.then(|| &name[..at])
    };
    // xAI dates with month and day alone; elsewhere four digits are year and month, and another model.
    DATES.into_iter().find_map(dated).or_else(|| if name.starts_with("grok-") { dated("-dddd") } else { None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_come_off_one_by_one_and_say_what_they_were() {
        for (name, left, words) in [
            ("arn:aws:bedrock:us-east-1:1:inference-profile/us.x.y-v1:0", "x.y", "resource name region tag date"),
            ("projects/p/locations/l/publishers/google/models/gemini", "gemini", "resource name"),
            ("/hub/models--org--name/snapshots/abc", "name", "repository cache path"),
            ("ft:gpt-4o-mini-2024-07-18:acme::id", "gpt-4o-mini", "fine-tune date"),
            ("azure/eastus/gpt-4o", "gpt-4o", "path"),
            ("/models/llama-3.1-8b-instruct-fp8", "llama-3.1-8b-instruct", "path format"),
            ("claude@20250101", "claude", "version"),
            ("org/name:free", "name", "path tag"),
            ("C:\\models\\m-7b-q4_k_m.gguf", "m-7b", "path format"),
            ("hf.co/o/m-gguf:q4_k_m", "m", "path format"),
            ("azureml://registries/r/models/m/versions/4", "m", "resource name"),
            ("replicate/meta/m:0123456789abcdef0123456789abcdef", "m", "path tag"),
            ("@cf/meta/m-fp8", "m", "path format"),
        ] {
            let last = reductions(name).last().unwrap();
            assert_eq!((last.name.as_str(), last.taken.words().collect::<Vec<_>>().join(" ").as_str()), (left, words));
        }
        assert_eq!(reductions("/models/m-gptq-int4").last().unwrap().precision_hint, "int4");
        assert_eq!(reductions("llama-3.1-8b").count(), 0);
        assert_eq!(reductions("qwen2.5:7b-instruct").count(), 0);
    }

    #[test]
    fn every_name_comes_to_an_end() {
        for name in
            ["", "/", "///", "arn:", "ft:", "@", ":0", "-20240806", "-fp8", "models--", "us.us.us.", "é-2024-08-06"]
        {
            assert!(reductions(name).count() < 12, "{name}");
        }
    }
}
