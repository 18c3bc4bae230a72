#include <libpq-fe.h>
#include <poll.h>

#include <mutex>
#include <set>

#include "serve/storage/sql.hpp"

namespace blobsmith::serve {
namespace {

using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

struct Conflict : DatabaseError {
  using DatabaseError::DatabaseError;
};

class PostgresConnection : public Sql {
 public:
  explicit PostgresConnection(const std::string& url) : connection_(PQconnectdb(url.c_str()), &PQfinish) {
    if (PQstatus(connection_.get()) != CONNECTION_OK)
      throw DatabaseGone(std::string("PostgreSQL: ") + PQerrorMessage(connection_.get()));
    run("SET client_min_messages = warning");
  }

  Rows run(const std::string& text, const std::vector<Cell>& parameters = {},
           Durability = Durability::Synced) override {
    const std::string sql = with_words(text, {{"{now}", "extract(epoch from clock_timestamp())::float8"},
                                              {"{skip_locked}", "FOR UPDATE SKIP LOCKED"}});
    std::vector<const char*> values;
    for (const Cell& c : parameters) values.push_back(c ? c->c_str() : nullptr);
    const Result r(PQexecParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(),
                                nullptr, nullptr, 0),
                   &PQclear);
    const ExecStatusType status = PQresultStatus(r.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) fail(r.get());
    Rows rows(static_cast<size_t>(PQntuples(r.get())));
    for (size_t i = 0; i < rows.size(); ++i)
      for (int k = 0; k < PQnfields(r.get()); ++k) {
        const int row = static_cast<int>(i);
        if (PQgetisnull(r.get(), row, k))
          rows[i].emplace_back();
        else
          rows[i].emplace_back(
              std::string(PQgetvalue(r.get(), row, k), static_cast<size_t>(PQgetlength(r.get(), row, k))));
      }
    return rows;
  }

  void transaction(const std::function<void(Sql&)>& f, Durability = Durability::Synced) override {
    run("BEGIN");
    try {
      f(*this);
      run("COMMIT");
    } catch (const DatabaseGone&) {
      throw;
    } catch (...) {
      run("ROLLBACK");
      throw;
    }
  }

  std::optional<std::pair<std::string, std::string>> listen(const std::vector<std::string>& channels,
                                                            double seconds) override {
    for (const std::string& c : channels)
      if (listening_.insert(c).second) run("LISTEN " + c);
    for (bool waited = false;; waited = true) {
      if (PQconsumeInput(connection_.get()) == 0) fail(nullptr);
      if (PGnotify* n = PQnotifies(connection_.get())) {
        std::pair<std::string, std::string> told{n->relname, n->extra};
        PQfreemem(n);
        return told;
      }
      if (waited) return std::nullopt;
      pollfd p{PQsocket(connection_.get()), POLLIN, 0};
      poll(&p, 1, static_cast<int>(seconds * 1000));
    }
  }

  bool shared() const override { return true; }
  bool usable() const {
    return PQstatus(connection_.get()) == CONNECTION_OK && PQtransactionStatus(connection_.get()) == PQTRANS_IDLE;
  }

 private:
  [[noreturn]] void fail(const PGresult* r) {
    const std::string text =
        std::string("PostgreSQL: ") + (r ? PQresultErrorMessage(r) : PQerrorMessage(connection_.get()));
    const char* code = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : nullptr;
    const std::string state = code ? code : "";
    // Serialisation, deadlock, two who make the same table at once.
    if (state == "40001" || state == "40P01" || state == "23505" || state == "42P07") throw Conflict(text);
    if (state.empty() || state.starts_with("57P") || state.starts_with("08") ||
        PQstatus(connection_.get()) != CONNECTION_OK)
      throw DatabaseGone(text);
    throw DatabaseError(text);
  }

  Connection connection_;
  std::set<std::string> listening_;
};

/// As many connections as are used at once; one that broke is replaced.
class Postgres : public Sql {
 public:
  explicit Postgres(std::string url) : url_(std::move(url)) { give_back(std::make_unique<PostgresConnection>(url_)); }

  Rows run(const std::string& text, const std::vector<Cell>& parameters, Durability) override {
    return with([&](Sql& c) { return c.run(text, parameters); });
  }
  void transaction(const std::function<void(Sql&)>& f, Durability) override {
    for (int attempt = 0;; ++attempt) try {
        with([&](Sql& c) {
          c.transaction(f);
          return 0;
        });
        return;
      } catch (const Conflict&) {
        if (attempt == 5) throw;
      }
  }
  void notify(const std::string& channel, const std::string& text) override {
    run("SELECT pg_notify($1, $2)", {channel, text}, Durability::Ordered);
  }
  std::optional<std::pair<std::string, std::string>> listen(const std::vector<std::string>& channels,
                                                            double seconds) override {
    const std::lock_guard lock(listener_mutex_);
    try {
      if (!listener_) listener_ = std::make_unique<PostgresConnection>(url_);
      return listener_->listen(channels, seconds);
    } catch (const DatabaseGone&) {
      listener_.reset();
      throw;
    }
  }
  bool shared() const override { return true; }

 private:
  template <class F>
  std::invoke_result_t<F, Sql&> with(F f) {
    std::unique_ptr<PostgresConnection> c = take();
    if (!c) c = std::make_unique<PostgresConnection>(url_);
    try {
      auto r = f(*c);
      give_back(std::move(c));
      return r;
    } catch (...) {
      if (c->usable()) give_back(std::move(c));
      throw;
    }
  }
  std::unique_ptr<PostgresConnection> take() {
    const std::lock_guard lock(mutex_);
    while (!idle_.empty()) {
      std::unique_ptr<PostgresConnection> c = std::move(idle_.back());
      idle_.pop_back();
      if (c->usable()) return c;
    }
    return nullptr;
  }
  void give_back(std::unique_ptr<PostgresConnection> c) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(c));
  }

  std::string url_;
  std::mutex mutex_, listener_mutex_;
  std::vector<std::unique_ptr<PostgresConnection>> idle_;
  std::unique_ptr<PostgresConnection> listener_;
};

}  // namespace

std::unique_ptr<Sql> open_postgres(const std::string& url) { return std::make_unique<Postgres>(url); }

}  // namespace blobsmith::serve
