#include <sqlite3.h>

#include <map>
#include <mutex>

#include "serve/storage/sql.hpp"

namespace blobsmith::serve {
namespace {

/// One connection with its prepared sentences. Threads take turns.
class SqliteConnection : public Sql {
 public:
  SqliteConnection(const std::string& file, const char* synchronous) {
    if (sqlite3_open_v2(file.c_str(), &handle_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX,
                        nullptr) != SQLITE_OK)
      throw DatabaseError("can't open " + file + ": " + sqlite3_errmsg(handle_));
    sqlite3_busy_timeout(handle_, 20000);
    run("PRAGMA journal_mode=WAL");
    run(std::string("PRAGMA synchronous=") + synchronous);
    run("PRAGMA foreign_keys=ON");
  }
  ~SqliteConnection() override {
    for (auto& [text, statement] : statements_) sqlite3_finalize(statement);
    sqlite3_close(handle_);
  }

  Rows run(const std::string& text, const std::vector<Cell>& parameters = {},
           Durability = Durability::Ordered) override {
    const std::lock_guard lock(mutex_);
    sqlite3_stmt* statement = prepared(text);
    for (size_t i = 0; i < parameters.size(); ++i) {
      const int at = static_cast<int>(i) + 1;
      if (parameters[i])
        sqlite3_bind_text(statement, at, parameters[i]->data(), static_cast<int>(parameters[i]->size()),
                          SQLITE_TRANSIENT);
      else
        sqlite3_bind_null(statement, at);
    }
    Rows rows;
    int code = SQLITE_OK;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
      std::vector<Cell>& row = rows.emplace_back();
      for (int i = 0; i < sqlite3_column_count(statement); ++i)
        if (const auto* begin = reinterpret_cast<const char*>(sqlite3_column_text(statement, i)))
          row.emplace_back(std::string(begin, static_cast<size_t>(sqlite3_column_bytes(statement, i))));
        else
          row.emplace_back();
    }
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    if (code != SQLITE_DONE) throw DatabaseError(std::string("SQLite: ") + sqlite3_errmsg(handle_) + " in " + text);
    return rows;
  }

  void transaction(const std::function<void(Sql&)>& f, Durability = Durability::Ordered) override {
    const std::lock_guard lock(mutex_);
    run("BEGIN IMMEDIATE");
    try {
      f(*this);
      run("COMMIT");
    } catch (...) {
      run("ROLLBACK");
      throw;
    }
  }

  bool shared() const override { return false; }

 private:
  sqlite3_stmt* prepared(const std::string& text) {
    sqlite3_stmt*& statement = statements_[text];
    if (statement) return statement;
    const std::string sql =
        with_words(text, {{"{now}", "((julianday('now') - 2440587.5) * 86400.0)"}, {"{skip_locked}", ""}});
    if (sqlite3_prepare_v2(handle_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK)
      throw DatabaseError(std::string("SQLite: ") + sqlite3_errmsg(handle_) + " in " + sql);
    return statement;
  }

  std::recursive_mutex mutex_;
  sqlite3* handle_ = nullptr;
  std::map<std::string, sqlite3_stmt*> statements_;
};

/// What must not be lost goes through a connection that waits for the disk, all else through one that doesn't.
class Sqlite : public Sql {
 public:
  explicit Sqlite(const std::string& file) : synced_(file, "FULL"), ordered_(file, "NORMAL") {}
  Rows run(const std::string& text, const std::vector<Cell>& parameters, Durability d) override {
    return (d == Durability::Synced ? synced_ : ordered_).run(text, parameters);
  }
  void transaction(const std::function<void(Sql&)>& f, Durability d) override {
    (d == Durability::Synced ? synced_ : ordered_).transaction(f);
  }
  bool shared() const override { return false; }

 private:
  SqliteConnection synced_, ordered_;
};

}  // namespace

std::unique_ptr<Sql> open_sqlite(const std::string& file) { return std::make_unique<Sqlite>(file); }

std::string with_words(std::string text, const std::vector<std::pair<std::string, std::string>>& words) {
  for (const auto& [word, meaning] : words)
    for (size_t at = 0; (at = text.find(word, at)) != std::string::npos; at += meaning.size())
      text.replace(at, word.size(), meaning);
  return text;
}

}  // namespace blobsmith::serve
