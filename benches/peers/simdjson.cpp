// A peer of `benches/peers`: JSON lines to sums by deployment and hour with C++ simdjson, as its documentation reads many
// documents (On-Demand, a field at a time, UTF-8 checked by the library). Compiled by others.py where a compiler and the
// library are installed.

#include <simdjson.h>

#include <cstdint>
#include <string_view>
#include <unordered_map>

using namespace simdjson;

// Adds [1, input, cached, input², output, input·output, output²] of each line to sums[which · groups + group]; 0 is good.
extern "C" int sums_of_lines(const char *path, const char *const *names, uint64_t count, int64_t start_s, uint64_t hours,
                             int64_t *sums) {
  padded_string text;
  if (padded_string::load(path).get(text)) return 1;
  std::unordered_map<std::string_view, uint64_t> places;
  for (uint64_t i = 0; i < count; i++) places.emplace(names[i], i);
  const uint64_t groups = count * hours;
  ondemand::parser parser;
  ondemand::document_stream lines;
  if (parser.iterate_many(text, 1 << 20).get(lines)) return 2;
  try {
    for (auto line : lines) {
      const int64_t time = line["created"].get_int64();
      const std::string_view deployment = line["deployment"].get_string();
      const uint64_t place = places.at(deployment);
      ondemand::object usage = line["usage"].get_object();
      const int64_t input = usage["prompt_tokens"].get_int64();
      const int64_t output = usage["completion_tokens"].get_int64();
      const int64_t cached = usage["prompt_tokens_details"]["cached_tokens"].get_int64();
      int64_t *at = sums + place * hours + (time - start_s) / 3600;
      const int64_t values[] = {1, input, cached, input * input, output, input * output, output * output};
      for (int64_t value : values) {
        *at += value;
        at += groups;
      }
    }
  } catch (...) {
    return 3;
  }
  return 0;
}
