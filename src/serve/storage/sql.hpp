// The few sentences of SQL that jobs need, for SQLite and for PostgreSQL alike. Parameters are $1, $2 ... and appear in
// this order; {now} is the database's clock in seconds since 1970, {skip_locked} what a queue's SELECT ends with.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace blobsmith::serve {

using Cell = std::optional<std::string>;
using Rows = std::vector<std::vector<Cell>>;

struct DatabaseError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// The database can't be reached, or went away: what was asked for may or may not have been done.
struct DatabaseGone : DatabaseError {
  using DatabaseError::DatabaseError;
};

class Sql {
 public:
  enum class Durability {
    Synced,   ///< on the disk when the call returns
    Ordered,  ///< a power cut may undo it, together with all that came later
  };
  virtual ~Sql() = default;
  virtual Rows run(const std::string& text, const std::vector<Cell>& parameters = {},
                   Durability d = Durability::Ordered) = 0;
  /// All or nothing. `f` runs its sentences through the Sql that it is given, and may be run again after a conflict.
  virtual void transaction(const std::function<void(Sql&)>& f, Durability d = Durability::Ordered) = 0;
  /// Tells everybody who listens to a channel; nothing in a database with one user.
  virtual void notify(const std::string&, const std::string&) {}
  /// Blocks until something is told on one of the channels (returns channel and text), or for `seconds`.
  virtual std::optional<std::pair<std::string, std::string>> listen(const std::vector<std::string>&, double) {
    return std::nullopt;
  }
  virtual bool shared() const = 0;  ///< with other processes
};

std::unique_ptr<Sql> open_sqlite(const std::string& file);
/// postgresql://user@host/database, as libpq reads it.
std::unique_ptr<Sql> open_postgres(const std::string& url);

/// Replaces {now} and such.
std::string with_words(std::string text, const std::vector<std::pair<std::string, std::string>>& words);

}  // namespace blobsmith::serve
