// Requests for jobs of our own API: files and options to a Job.
#pragma once
#include <string>

#include "serve/http/message.hpp"
#include "serve/jobs/config_files.hpp"
#include "serve/jobs/job.hpp"
#include "serve/jobs/store.hpp"
#include "serve/zoo/zoo.hpp"

namespace blobsmith::serve {

/// Reads the form, keeps its files in the store, plans the commands. `kind`: given by the route; empty: by the options.
/// Throws HttpError (4xx).
Job job_of_request(Request& r, std::string kind, JobStore& store, const Zoo* zoo);

/// Fills in commands, outputs and the name of a job that has its files. `model`: one of them; `blob`: for compare, or
/// empty.
/// `zoo`: how a zoo wants the model converted; its words come before those of the options.
void plan(Job& j, const std::string& model, const std::string& blob, const OptimizerCall& zoo);

/// The model among files: the one whose ending says so. Throws HttpError where none or several do.
const JobFile& model_among(const std::vector<JobFile>& files);

/// Files that belong to the model get its stem where the program looks for them there.
void rename_beside(std::vector<JobFile>& files, const std::string& model);

}  // namespace blobsmith::serve
