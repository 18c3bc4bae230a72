// The tables of the service's database, and how those of earlier versions become them.
#pragma once
#include "serve/storage/sql.hpp"

namespace blobsmith::serve {

/// Makes the tables, or brings them up to date, all or nothing. Throws DatabaseError where a newer program has made
/// them such that this one can't use them.
void update_schema(Sql& sql);

}  // namespace blobsmith::serve
