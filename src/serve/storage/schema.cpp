#include "serve/storage/schema.hpp"

#include <array>

namespace blobsmith::serve {
namespace {

struct Step {
  int version;  ///< of the tables after it
  int oldest;   ///< programs that know this version, or a later one, can still use them
  std::vector<const char*> sentences;
};

/// One step for each version; a step never changes once it has been released. Whole machines are upgraded one by one:
/// columns that are added have a default, so that the programs before can go on.
const std::vector<Step> kSteps{
    {1,
     1,
     {"CREATE TABLE jobs (id TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, created "
      "DOUBLE PRECISION NOT NULL, started DOUBLE PRECISION NOT NULL DEFAULT 0, finished DOUBLE PRECISION NOT NULL "
      "DEFAULT 0, phase TEXT NOT NULL DEFAULT '', fraction DOUBLE PRECISION NOT NULL DEFAULT 0, plan TEXT NOT NULL, "
      "outcome TEXT NOT NULL, lease TEXT NOT NULL DEFAULT '', lease_until DOUBLE PRECISION NOT NULL DEFAULT 0, "
      "attempts INTEGER NOT NULL DEFAULT 0, cancel INTEGER NOT NULL DEFAULT 0)",
      "CREATE INDEX jobs_by_state ON jobs (state, created)",
      "CREATE TABLE cache (key TEXT PRIMARY KEY, results TEXT NOT NULL, used DOUBLE PRECISION NOT NULL)",
      "CREATE TABLE objects (object TEXT PRIMARY KEY, size BIGINT NOT NULL, made DOUBLE PRECISION NOT NULL)",
      "CREATE TABLE uses (object TEXT NOT NULL, owner TEXT NOT NULL, PRIMARY KEY (object, owner))",
      "CREATE INDEX uses_by_owner ON uses (owner)",
      "CREATE TABLE object_bytes (object TEXT NOT NULL, number INTEGER NOT NULL, bytes BYTEA NOT NULL, PRIMARY KEY "
      "(object, number))"}},
    // Jobs whose files have to be fetched wait for that first.
    {2, 1, {"ALTER TABLE jobs ADD COLUMN downloads INTEGER NOT NULL DEFAULT 0"}},
};

bool has_table(Sql& s, const std::string& name) {
  return !s.run(s.shared() ? "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1"
                           : "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1",
                {name})
              .empty();
}

}  // namespace

void update_schema(Sql& sql) {
  const int newest = kSteps.back().version;
  sql.transaction(
      [&](Sql& s) {
        if (s.shared()) s.run("SELECT pg_advisory_xact_lock(7300415)");  // two that start: one after the other
        int version = has_table(s, "jobs") ? 1 : 0;                      // the first had no table of versions
        if (has_table(s, "schema_version")) {
          const Rows rows = s.run("SELECT version, oldest FROM schema_version");
          version = std::stoi(rows.at(0).at(0).value());
          if (const int oldest = std::stoi(rows[0].at(1).value()); oldest > newest)
            throw DatabaseError("the database was upgraded by a newer version of blobsmith (tables of version " +
                                std::to_string(version) + ", this program knows " + std::to_string(newest) +
                                "): use that version, or a backup from before");
        } else {
          s.run("CREATE TABLE schema_version (version INTEGER NOT NULL, oldest INTEGER NOT NULL)");
          s.run("INSERT INTO schema_version (version, oldest) VALUES (0, 0)");
        }
        for (const Step& step : kSteps) {
          if (step.version <= version) continue;
          for (const char* sentence : step.sentences) s.run(sentence);
          s.run("UPDATE schema_version SET version = CAST($1 AS INTEGER), oldest = CAST($2 AS INTEGER)",
                {std::to_string(step.version), std::to_string(step.oldest)});
        }
      },
      Sql::Durability::Synced);
}

}  // namespace blobsmith::serve
