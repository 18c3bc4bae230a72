#include "serve/jobs/store.hpp"

#include "serve/storage/schema.hpp"

namespace blobsmith::serve {
namespace {

constexpr const char* kColumns =
    "id, kind, name, state, created, started, finished, phase, fraction, plan, outcome, attempts, cancel";

double number(const Cell& c) { return c ? std::stod(*c) : 0; }

Job of_row(const std::vector<Cell>& row) {
  Job j;
  j.id = row[0].value();
  j.kind = row[1].value();
  j.name = row[2].value();
  j.state = state_of(row[3].value());
  j.created = number(row[4]);
  j.started = number(row[5]);
  j.finished = number(row[6]);
  j.phase = row[7].value();
  j.fraction = number(row[8]);
  set_plan(j, Json::parse(row[9].value()));
  set_outcome(j, Json::parse(row[10].value()));
  j.attempts = static_cast<int>(number(row[11]));
  return j;
}

std::string text_of(const Json& j) { return j.dump(-1, ' ', false, Json::error_handler_t::replace); }

void reserve_object(Sql& s, const std::string& object, uint64_t size) {
  s.run(
      "INSERT INTO objects (object, size, made) VALUES ($1, $2, {now}) ON CONFLICT (object) DO UPDATE SET made = "
      "excluded.made",
      {object, std::to_string(size)});
}

void use(Sql& s, const std::string& object, uint64_t size, const std::string& owner) {
  reserve_object(s, object, size);
  s.run("INSERT INTO uses (object, owner) VALUES ($1, $2) ON CONFLICT (object, owner) DO NOTHING", {object, owner});
}

}  // namespace

JobStore::JobStore(Sql& sql, Objects& objects) : sql_(sql), objects_(objects) { update_schema(sql_); }

std::string JobStore::keep(const std::string& file, uint64_t size) {
  const std::string object = sha256_of_file(file);
  reserve_object(sql_, object, size);
  objects_.put(object, file);
  return object;
}

void JobStore::tell(const std::string& id) {
  if (sql_.shared()) sql_.notify(kStateChannel, id);
}

void JobStore::submit(const Job& j) {
  const std::vector<Cell> values{j.id,
                                 j.kind,
                                 j.name,
                                 to_string(j.state),
                                 std::to_string(j.finished > 0 ? 1 : 0),
                                 text_of(plan_of(j)),
                                 text_of(outcome_of(j)),
                                 j.has_to_fetch() ? "1" : "0"};
  const std::string insert =
      "INSERT INTO jobs (id, kind, name, state, created, finished, plan, outcome, downloads) VALUES ($1, $2, $3, $4, "
      "{now}, CASE WHEN $5 = '1' THEN {now} ELSE 0 END, $6, $7, CAST($8 AS INTEGER))";
  sql_.transaction(
      [&](Sql& s) {
        s.run(insert, values);
        for (const JobFile& f : j.files)
          if (!f.object.empty()) use(s, f.object, f.size, "job:" + j.id);
        for (const Result& r : j.results) use(s, r.object, r.size, "job:" + j.id);
      },
      Sql::Durability::Synced);
  if (sql_.shared()) sql_.notify(kJobsChannel, j.id);
}

std::optional<Job> JobStore::find(const std::string& id) {
  const Rows rows = sql_.run(std::string("SELECT ") + kColumns + " FROM jobs WHERE id = $1", {id});
  if (rows.empty()) return std::nullopt;
  Job j = of_row(rows[0]);
  if (j.state == State::Queued)
    j.ahead =
        static_cast<int>(number(sql_.run("SELECT count(*) FROM jobs WHERE state = 'queued' AND created < "
                                         "(SELECT created FROM jobs WHERE id = $1)",
                                         {id})[0][0]));
  return j;
}

std::vector<Job> JobStore::find_all(const std::vector<std::string>& ids) {
  std::vector<Job> jobs;
  for (const std::string& id : ids)
    if (auto j = find(id)) jobs.push_back(std::move(*j));
  return jobs;
}

JobStore::Counts JobStore::counts() {
  Counts c;
  for (const auto& row :
       sql_.run("SELECT state, count(*) FROM jobs WHERE state IN ('queued', 'running') GROUP BY state"))
    (row[0] == "queued" ? c.queued : c.running) = static_cast<int>(number(row[1]));
  return c;
}

std::optional<Job> JobStore::take(Stage stage, const std::string& lease, double seconds) {
  const Rows rows =
      sql_.run(std::string("UPDATE jobs SET state = 'running', lease = $1, lease_until = {now} + CAST($2 AS DOUBLE "
                           "PRECISION), started = {now}, "
                           "attempts = attempts + 1, phase = '', fraction = 0 WHERE id = (SELECT id FROM jobs WHERE "
                           "(state = 'queued' OR (state = 'running' AND lease_until < {now})) AND downloads = "
                           "CAST($3 AS INTEGER) ORDER BY created LIMIT 1 {skip_locked}) RETURNING ") +
                   kColumns,
               {lease, std::to_string(seconds), stage == Stage::Download ? "1" : "0"});
  if (rows.empty()) return std::nullopt;
  Job j = of_row(rows[0]);
  tell(j.id);
  return j;
}

JobStore::Standing JobStore::renew(const Job& j, const std::string& lease, double seconds) {
  const Rows rows = sql_.run(
      "UPDATE jobs SET lease_until = {now} + CAST($1 AS DOUBLE PRECISION), phase = $2, fraction = CAST($3 AS DOUBLE "
      "PRECISION), outcome "
      "= $4 WHERE id = $5 AND lease = $6 AND state = 'running' RETURNING cancel",
      {std::to_string(seconds), j.phase, std::to_string(j.fraction), text_of(outcome_of(j)), j.id, lease});
  if (rows.empty()) return Standing::Lost;
  tell(j.id);
  return rows[0][0] == "1" ? Standing::Cancelled : Standing::Mine;
}

bool JobStore::finish(Job& j, const std::string& lease) {
  bool mine = false;
  sql_.transaction([&](Sql& s) {
    const Rows rows = s.run(
        "UPDATE jobs SET state = $1, finished = {now}, phase = $2, fraction = CAST($3 AS DOUBLE PRECISION), outcome = "
        "$4, lease = '' "
        "WHERE id = $5 AND lease = $6 AND state = 'running' RETURNING finished, started",
        {to_string(j.state), j.phase, std::to_string(j.fraction), text_of(outcome_of(j)), j.id, lease});
    mine = !rows.empty();
    if (!mine) return;
    j.finished = number(rows[0][0]);
    j.started = number(rows[0][1]);
    for (const Result& r : j.results) use(s, r.object, r.size, "job:" + j.id);
    if (j.state != State::Done || j.cache_key.empty()) return;
    const std::string owner = "cache:" + j.cache_key;
    s.run("DELETE FROM uses WHERE owner = $1", {owner});
    for (const Result& r : j.results) use(s, r.object, r.size, owner);
    s.run(
        "INSERT INTO cache (key, results, used) VALUES ($1, $2, {now}) ON CONFLICT (key) DO UPDATE SET results = "
        "excluded.results, "
        "used = excluded.used",
        {j.cache_key, text_of(outcome_of(j)["results"])});
  });
  if (mine) tell(j.id);
  return mine;
}

bool JobStore::pass_on(Job& j, const std::string& lease) {
  bool mine = false;
  sql_.transaction(
      [&](Sql& s) {
        mine =
            !s.run(
                  "UPDATE jobs SET state = 'queued', lease = '', downloads = 0, attempts = 0, phase = '', plan = $1, "
                  "outcome = $2 WHERE id = $3 AND lease = $4 AND state = 'running' AND cancel = 0 RETURNING id",
                  {text_of(plan_of(j)), text_of(outcome_of(j)), j.id, lease})
                 .empty();
        if (!mine) return;
        for (const JobFile& f : j.files) use(s, f.object, f.size, "job:" + j.id);
      },
      Sql::Durability::Synced);
  if (!mine) return false;
  j.state = State::Queued;
  j.phase.clear();
  if (sql_.shared()) sql_.notify(kJobsChannel, j.id);
  tell(j.id);
  return true;
}

bool JobStore::is_to_be_cancelled(const std::string& id) {
  const Rows rows = sql_.run("SELECT cancel FROM jobs WHERE id = $1", {id});
  return !rows.empty() && rows[0][0] == "1";
}

void JobStore::give_back(const Job& j, const std::string& lease) {
  sql_.run(
      "UPDATE jobs SET state = 'queued', lease = '', attempts = attempts - 1 WHERE id = $1 AND lease = $2 AND state = "
      "'running'",
      {j.id, lease});
  if (sql_.shared()) sql_.notify(kJobsChannel, j.id);
}

std::optional<Job> JobStore::cancel(const std::string& id) {
  sql_.run(
      "UPDATE jobs SET cancel = 1, finished = CASE WHEN state = 'queued' THEN {now} ELSE finished END, state = CASE "
      "WHEN state = "
      "'queued' THEN 'cancelled' ELSE state END WHERE id = $1 AND state IN ('queued', 'running')",
      {id});
  tell(id);
  return find(id);
}

void JobStore::forget_leases() {
  sql_.run("UPDATE jobs SET state = 'queued', lease = '' WHERE state = 'running'", {}, Sql::Durability::Synced);
}

std::optional<std::vector<Result>> JobStore::cached(const std::string& key) {
  if (key.empty()) return std::nullopt;
  const Rows rows = sql_.run("SELECT results FROM cache WHERE key = $1", {key});
  if (rows.empty()) return std::nullopt;
  {
    const std::lock_guard lock(mutex_);
    used_[key] = true;
  }
  Job j;
  set_outcome(j, {{"results", Json::parse(rows[0][0].value())}});
  return j.results;
}

void JobStore::flush_uses() {
  std::map<std::string, bool> used;
  {
    const std::lock_guard lock(mutex_);
    used.swap(used_);
  }
  if (used.empty()) return;
  sql_.transaction([&](Sql& s) {
    for (const auto& [key, unused] : used) s.run("UPDATE cache SET used = {now} WHERE key = $1", {key});
  });
}

bool JobStore::drop_oldest() {
  // Queued and running jobs stay. Of equal age the cached results stay longer, as others may ask for them.
  const Rows rows = sql_.run(
      "SELECT owner FROM (SELECT 'job:' || id AS owner, finished AS age FROM jobs WHERE state NOT IN ('queued', "
      "'running') AND id IN "
      "(SELECT substr(owner, 5) FROM uses WHERE owner LIKE 'job:%') UNION ALL SELECT 'cache:' || key, used FROM cache) "
      "AS owners ORDER "
      "BY age LIMIT 1");
  if (rows.empty()) return false;
  const std::string owner = rows[0][0].value();
  const std::string name = owner.substr(owner.find(':') + 1);
  sql_.transaction([&](Sql& s) {
    s.run("DELETE FROM uses WHERE owner = $1", {owner});
    s.run(owner.starts_with("job:") ? "DELETE FROM jobs WHERE id = $1" : "DELETE FROM cache WHERE key = $1", {name});
  });
  return true;
}

uint64_t JobStore::clean(uint64_t quota, double keep_seconds) {
  flush_uses();
  sql_.transaction([&](Sql& s) {
    s.run(
        "DELETE FROM jobs WHERE state NOT IN ('queued', 'running') AND finished < {now} - CAST($1 AS DOUBLE PRECISION)",
        {std::to_string(keep_seconds)});
    s.run("DELETE FROM uses WHERE owner LIKE 'job:%' AND substr(owner, 5) NOT IN (SELECT id FROM jobs)");
  });
  const auto sum = [&] {
    return static_cast<uint64_t>(
        number(sql_.run("SELECT coalesce(sum(size), 0) FROM objects WHERE object IN (SELECT object FROM uses)")[0][0]));
  };
  while (sum() > quota && drop_oldest()) {}
  // While the rows are locked, so that nobody counts on an object that is about to go. What is new belongs to a job
  // that is being made.
  sql_.transaction([&](Sql& s) {
    for (const auto& row : s.run("DELETE FROM objects WHERE object NOT IN (SELECT object FROM uses) AND made < {now} - "
                                 "600 RETURNING object"))
      objects_.remove(row[0].value());
  });
  return sum();
}

}  // namespace blobsmith::serve
