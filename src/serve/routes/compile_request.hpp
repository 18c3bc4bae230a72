// The request of the original converter, read and turned into a job (docs/service.md).
#pragma once
#include <string>

#include "serve/http/message.hpp"
#include "serve/jobs/job.hpp"
#include "serve/jobs/store.hpp"
#include "serve/zoo/zoo.hpp"

namespace blobsmith::serve {

struct CompileRequest {
  std::string version = "2022.1", name, zoo_type = "intel", data_type = "FP16", compiler_parameters = "-ip U8";
  int shaves = 6;
  bool use_zoo = false, download_ir = false, no_cache = false, dry = false;
  bool old_protocol = false;  ///< compile_type: status 500 for commands that fail
  ModelConfig config;
  std::string hash;  ///< the client's own

  std::string file_name() const;  ///< the name as far as a file can have it
};

/// Throws HttpError with the original's texts and statuses.
CompileRequest compile_request(const Request& r, const Zoo& zoo);

/// The job, with its files kept. `r`'s files are taken away. Throws HttpError.
Job job_of(const CompileRequest& c, Request& r, JobStore& store, const Zoo& zoo);

/// sha256 as the client makes it of a request's fields and files.
std::string client_hash(const Request& r);

}  // namespace blobsmith::serve
