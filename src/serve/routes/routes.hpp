// What the server answers to.
#pragma once
#include <string>

#include "serve/http/server.hpp"
#include "serve/jobs/service.hpp"

namespace blobsmith::serve {

/// /api/v1, /health, /metrics: docs/openapi.yaml.
void add_api_routes(Server& server, Service& service, bool netron);
/// What clients of the original converter use (docs/service.md).
void add_converter_routes(Server& server, Service& service);
/// The page, and Netron from a folder ("": none).
void add_page_routes(Server& server, const std::string& netron_folder);

/// An answer to what a handler threw: JSON under /api and for who asks for it, else a line of text.
Response error_response(const Request& r, std::exception_ptr e);
/// True where the client takes JSON and no text.
bool wants_json(const Request& r);

}  // namespace blobsmith::serve
