// What a model.yml asks for, as files of a job and words of a command line.
#pragma once
#include <string>
#include <vector>

#include "serve/jobs/job.hpp"
#include "serve/jobs/store.hpp"
#include "serve/zoo/zoo.hpp"

namespace blobsmith::serve {

/// The arguments of Model Optimizer.
struct OptimizerCall {
  std::string model;               ///< name of the file in the job's folder; empty: not stated
  std::string framework;           ///< of the model; empty: told by its file
  std::vector<std::string> words;  ///< without the model and what the converter sets by itself
  bool needs_optimizer = false;    ///< some of them are for `mo` alone, `convert` doesn't have them
};
/// Throws HttpError for what is no argument.
OptimizerCall optimizer_call(const ModelConfig& c);
/// `mo` with the call's words: the model becomes FOLDER/NAME.xml and .bin.
std::vector<std::string> optimizer_command(const OptimizerCall& call, const std::string& model, const std::string& name,
                                           const std::string& folder = "ir");

/// Puts a copy of a file into the store, by way of a file in `folder`.
void keep_copy(JobFile& f, const std::string& path, const std::string& folder, JobStore& store);

/// Files of the configuration into `files`: those that were sent ($REQUEST) get the names that it has for them, the
/// others are fetched later, in a stage of the job: from the model's folder in a zoo, a mirror or an address. Throws
/// HttpError where one can't be anywhere.
void take_config_files(const ModelConfig& c, const std::string& name, const std::string& precision,
                       const std::string& zoo_folder, const Zoo& zoo, JobStore& store, std::vector<JobFile>& files);

}  // namespace blobsmith::serve
