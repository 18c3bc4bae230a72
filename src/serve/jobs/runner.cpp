#include "serve/jobs/runner.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "serve/jobs/config_files.hpp"

namespace blobsmith::serve {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr size_t kMostLogLines = 2000, kMostLogBytes = 1 << 18, kMostFailureText = 1 << 20;

Json error(const char* code, const std::string& message, const std::string& hint = {}) {
  Json e{{"code", code}, {"message", message}};
  if (!hint.empty()) e["hint"] = hint;
  return e;
}

/// The command has done its work, and what it found is in its report.
bool is_verdict(const std::string& kind, int exit_code) {
  constexpr int kNotConvertible = 1, kDiffers = 4;
  return (kind == "check" && exit_code == kNotConvertible) || (kind == "compare" && exit_code == kDiffers);
}

/// A regular file of the job's own: no link that leads elsewhere.
std::optional<uint64_t> plain_file_size(const fs::path& path) {
  struct stat s{};
  if (lstat(path.c_str(), &s) != 0 || !S_ISREG(s.st_mode) || s.st_nlink != 1) return std::nullopt;
  return static_cast<uint64_t>(s.st_size);
}

/// The members are called as the zip, each with its own ending.
void write_zip(const fs::path& zip, const fs::path& folder, const std::string& name,
               const std::vector<std::string>& files) {
  int code = 0;
  zip_t* z = zip_open(zip.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code);
  if (!z) throw std::runtime_error("can't write " + zip.filename().string());
  for (const std::string& f : files) {
    zip_source_t* source = zip_source_file(z, (folder / f).c_str(), 0, -1);
    const zip_int64_t at =
        source ? zip_file_add(z, (fs::path(name).stem().string() + fs::path(f).extension().string()).c_str(), source,
                              ZIP_FL_ENC_UTF_8)
               : -1;
    if (at >= 0) zip_set_file_compression(z, static_cast<zip_uint64_t>(at), ZIP_CM_DEFLATE, 1);
  }
  if (zip_close(z) != 0) {
    const std::string why = zip_strerror(z);
    zip_discard(z);
    throw std::runtime_error("can't write " + zip.filename().string() + ": " + why);
  }
}

/// A folder that is gone at the end.
struct Folder {
  explicit Folder(fs::path p) : path(std::move(p)) { fs::create_directories(path); }
  ~Folder() {
    std::error_code e;
    fs::remove_all(path, e);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  fs::path path;
};

}  // namespace

Runner::Runner(JobStore& store, const Sandbox& sandbox, RunnerOptions options, Watcher watcher)
    : store_(store), sandbox_(sandbox), options_(std::move(options)), watcher_(std::move(watcher)) {
  fs::create_directories(options_.work_folder);
}

Runner::~Runner() { stop(); }

void Runner::start() {
  using enum JobStore::Stage;
  for (int i = 0; i < options_.jobs; ++i) threads_.emplace_back([this] { work(Commands); });
  for (int i = 0; i < options_.downloads; ++i) threads_.emplace_back([this] { work(Download); });
}

void Runner::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  for (auto& [stage, w] : waiting_) w.more.notify_all();
  for (std::thread& t : threads_) t.join();
  threads_.clear();
}

void Runner::wake(JobStore::Stage stage) {
  const std::lock_guard lock(mutex_);
  ++waiting_[stage].woken;
  waiting_[stage].more.notify_one();
}

void Runner::cancel(const std::string& id) {
  const std::lock_guard lock(mutex_);
  if (const auto it = running_.find(id); it != running_.end()) *it->second = true;
}

void Runner::work(JobStore::Stage stage) {
  for (;;) {
    uint64_t seen = 0;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      seen = waiting_[stage].woken;
    }
    try {
      const std::string lease = new_id();
      if (auto j = store_.take(stage, lease, options_.lease_seconds)) {
        ++busy_;
        try {
          work_on(std::move(*j), lease);
        } catch (...) {
          --busy_;
          throw;
        }
        --busy_;
        continue;
      }
    } catch (const std::exception& e) {
      // The database or the store is away; the lease runs out and the job is taken again.
      std::cerr << "worker: " << e.what() << std::endl;
      std::unique_lock lock(mutex_);
      waiting_[stage].more.wait_for(lock, std::chrono::seconds(1), [&] { return stopping_; });
      continue;
    }
    std::unique_lock lock(mutex_);
    Waiting& w = waiting_[stage];
    w.more.wait_for(lock, std::chrono::seconds(2), [&] { return stopping_ || w.woken != seen; });
  }
}

std::vector<std::string> Runner::lay_out(const Job& j, const std::string& folder) {
  std::vector<std::string> read;
  for (const JobFile& f : j.files) {
    const std::string place = folder + "/" + f.name;
    const auto file = store_.objects().get(f.object, place);
    if (!file) throw std::runtime_error("the file " + f.name + " is lost");
    if (*file == place) continue;
    read.push_back(fs::canonical(*file));
    fs::create_symlink(read.back(), place);
  }
  Json commands = Json::array();
  for (const Command& c : j.commands) commands.push_back({{"words", c.words}, {"stdout", c.output}});
  std::ofstream(folder + "/commands.json") << commands;
  return read;
}

/// A job that is worked on here: tells watchers of it, renews its lease, notices when it is to stop.
class Runner::Hold {
 public:
  Hold(Runner& runner, Job& j, std::string lease) : runner_(runner), job_(j), lease_(std::move(lease)) {
    {
      const std::lock_guard lock(runner_.mutex_);
      runner_.running_[job_.id] = cancel_;
    }
    // Who cancelled it before the line above found nobody to tell.
    if (runner_.store_.is_to_be_cancelled(job_.id)) *cancel_ = true;
  }
  ~Hold() {
    const std::lock_guard lock(runner_.mutex_);
    runner_.running_.erase(job_.id);
  }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

  void changed() {
    changed_ = true;
    runner_.watcher_(job_);
  }

  bool must_stop() {
    const auto since = Clock::now() - renewed_;
    if (since > std::chrono::duration<double>(runner_.options_.lease_seconds / 3) ||
        (changed_ && since > std::chrono::milliseconds(500))) {
      try {
        const JobStore::Standing standing = runner_.store_.renew(job_, lease_, runner_.options_.lease_seconds);
        lost_ = standing == JobStore::Standing::Lost;
        if (standing == JobStore::Standing::Cancelled) *cancel_ = true;
        renewed_ = Clock::now();
        changed_ = false;
      } catch (const DatabaseGone&) {
        if (since > std::chrono::duration<double>(runner_.options_.lease_seconds)) lost_ = true;
      }
    }
    const std::lock_guard lock(runner_.mutex_);
    return lost_ || runner_.stopping_ || *cancel_;
  }

  bool lost() const { return lost_; }
  bool cancelled() const { return *cancel_; }
  void cancel() {
    job_.state = State::Cancelled;
    job_.failure.reset();
  }
  void fail(const Json& why, Failure failure) {
    job_.state = State::Failed;
    job_.errors.push_back(why);
    job_.failure = std::move(failure);
  }

  /// Who reads of the end is to find it in the database: a broken connection is tried again until the lease is over.
  void finish() {
    for (;;) try {
        if (runner_.store_.finish(job_, lease_)) runner_.watcher_(job_);
        return;
      } catch (const DatabaseGone&) {
        if (Clock::now() - renewed_ > std::chrono::duration<double>(runner_.options_.lease_seconds)) throw;
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
      }
  }
  void give_back() { runner_.store_.give_back(job_, lease_); }
  /// Its files are there: the next who takes it runs it.
  bool pass_on() {
    if (!runner_.store_.pass_on(job_, lease_)) return false;
    runner_.watcher_(job_);
    return true;
  }

 private:
  Runner& runner_;
  Job& job_;
  std::string lease_;
  std::shared_ptr<std::atomic<bool>> cancel_ = std::make_shared<std::atomic<bool>>(false);
  bool lost_ = false, changed_ = false;
  Clock::time_point renewed_ = Clock::now();
};

void Runner::work_on(Job j, const std::string& lease) {
  Hold hold(*this, j, lease);
  // The lines of the download stay: one for each file.
  const auto fetched = std::ranges::count_if(j.files, [](const JobFile& f) { return f.fetch && !f.object.empty(); });
  while (j.log.size() > (j.fetched ? static_cast<size_t>(fetched) : 0)) j.log.erase(j.log.size() - 1);
  j.errors = Json::array();
  hold.changed();
  if (j.attempts > options_.attempts) {
    hold.fail(error("BS9001", "the process or machine that worked on it went away " +
                                  std::to_string(options_.attempts) + " times"),
              {-1, j.shown_command, "", "given up"});
    return hold.finish();
  }
  if (j.has_to_fetch())
    fetch(j, hold);
  else
    run(j, lease, hold);
}

/// Part of the whole job that `done` of its stages are: its commands, and the download before them.
double Runner::share_of(const Job& j, double done) {
  return done / static_cast<double>(std::max<size_t>(1, j.commands.size() + (j.fetched ? 1 : 0)));
}

void Runner::fetch(Job& j, Hold& hold) {
  j.fetched = true;
  j.phase = "downloading";
  hold.changed();
  uint64_t all = 0, before = 0;
  for (const JobFile& f : j.files)
    if (f.object.empty()) all += f.fetch->size.value_or(0);
  auto told = Clock::now();
  std::string model;
  try {
    for (JobFile& f : j.files) {
      if (!f.object.empty()) continue;
      model = f.fetch->model;
      const std::string path = options_.zoo->fetch(
          *f.fetch, {.progress =
                         [&](uint64_t done, uint64_t size) {
                           const uint64_t known = std::max({all, before + size, uint64_t{1}});
                           j.fraction = share_of(
                               j, std::min(1.0, static_cast<double>(before + done) / static_cast<double>(known)));
                           if (Clock::now() - told < std::chrono::milliseconds(200)) return;
                           told = Clock::now();
                           hold.changed();
                         },
                     .stop = [&] { return hold.must_stop(); }});
      keep_copy(f, path, options_.work_folder, store_);
      before += f.size;
      j.log.push_back(
          {{"stream", "stdout"}, {"text", "fetched " + f.fetch->name + ", " + std::to_string(f.size) + " bytes"}});
      hold.changed();
    }
    if (hold.pass_on()) return wake(JobStore::Stage::Commands);
    // Cancelled between the last byte and this line, or lost.
    if (!store_.is_to_be_cancelled(j.id)) return;
    hold.cancel();
  } catch (const DownloadStopped&) {
    if (hold.lost()) return;
    if (!hold.cancelled()) return hold.give_back();
    hold.cancel();
  } catch (const DatabaseError&) {
    throw;
  } catch (const std::exception& e) {
    hold.fail(error("BS4002", e.what(), options_.zoo->advice()),
              {1, command_line({"zoo", "get", model}), "", e.what()});
  }
  hold.finish();
}

void Runner::run(Job& j, const std::string& lease, Hold& hold) {
  const Folder folder(fs::path(options_.work_folder) / (j.id + "-" + lease.substr(0, 8)));
  std::string printed[2];
  size_t commands_done = 0, logged = 0;
  // Nobody is to read of this machine's folders.
  const auto plain = [place = folder.path.string()](std::string text) {
    for (size_t at = 0; (at = text.find(place, at)) != std::string::npos;)
      text.erase(at, place.size() + (text.substr(at + place.size(), 1) == "/" ? 1 : 0));
    return text;
  };
  const Listener listener{
      .event =
          [&](const Json& e) {
            if (e.contains("error")) j.errors.push_back(Json::parse(plain(e["error"].dump())));
            if (e.contains("command") && e.value("exit", 0) == 0) commands_done = e["command"].get<size_t>() + 1;
            if (e.contains("phase") && e["phase"].is_string()) {
              j.phase = e["phase"];
              const double done = static_cast<double>(commands_done) + (j.fetched ? 1 : 0) + e.value("fraction", 0.0);
              j.fraction = std::max(j.fraction, share_of(j, done));
              hold.changed();
            }
          },
      .line =
          [&](bool is_error, const std::string& said) {
            const std::string line = plain(said);
            if (printed[is_error].size() < kMostFailureText) printed[is_error] += line + "\n";
            logged += line.size();
            if (j.log.size() >= kMostLogLines || logged > kMostLogBytes) return;
            j.log.push_back({{"stream", is_error ? "stderr" : "stdout"}, {"text", line}});
            hold.changed();
          },
      .stop = [&] { return hold.must_stop(); },
  };
  const std::vector<std::string> read = lay_out(j, folder.path);
  const Ended ended = sandbox_.run(folder.path, read, options_.limits, listener);
  if (hold.lost()) return;
  if (ended.stopped && !hold.cancelled()) return hold.give_back();
  const size_t failed = std::min(commands_done, j.commands.empty() ? 0 : j.commands.size() - 1);
  if (!j.commands.empty())
    j.failure = Failure{ended.exit_code, command_line(j.commands[failed].words), printed[0], printed[1]};
  if (ended.stopped)
    hold.cancel();
  else
    settle(j, ended, folder.path);
  hold.finish();
}

void Runner::settle(Job& j, const Ended& ended, const std::string& folder) {
  const std::string seconds = std::to_string(options_.limits.seconds) + " seconds";
  if (ended.exit_code == 0 || (ended.signal == 0 && is_verdict(j.kind, ended.exit_code) && j.errors.empty())) {
    try {
      collect(j, folder);
      j.state = State::Done;
      j.fraction = 1;
      j.failure.reset();
      return;
    } catch (const DatabaseError&) {
      throw;
    } catch (const std::exception& e) {
      j.errors.push_back(error("BS5001", e.what()));
    }
  } else if (ended.out_of_time || ended.signal == SIGXCPU) {
    j.errors =
        Json::array({error("BS5001", "it took longer than " + seconds,
                           "run the same command on your own machine, or ask for a longer time (--job-seconds)")});
  } else if (ended.signal == SIGXFSZ) {
    j.errors = Json::array({error("BS5001", "it wrote a file that is larger than allowed")});
  } else if (ended.signal != 0 && j.errors.empty()) {
    j.errors.push_back(error("BS9001", "the converter ended with signal " + std::to_string(ended.signal),
                             "this is a bug, or the memory is used up: please report it with the model"));
  } else if (!ended.not_started.empty()) {
    j.errors.push_back(error("BS9001", ended.not_started));
  } else if (j.errors.empty()) {
    j.errors.push_back(error("BS9001", "the converter ended with code " + std::to_string(ended.exit_code)));
  }
  j.state = State::Failed;
}

void Runner::collect(Job& j, const std::string& folder) {
  std::vector<Result> results;
  for (const Output& o : j.outputs) {
    std::string file = o.files.at(0);
    if (o.optional && !plain_file_size(fs::path(folder) / file)) continue;
    if (o.files.size() > 1) {
      for (const std::string& f : o.files)
        if (!plain_file_size(fs::path(folder) / f)) throw std::runtime_error("the converter made no " + f);
      file = "results.zip";
      write_zip(fs::path(folder) / file, folder, o.name, o.files);
    }
    const auto size = plain_file_size(fs::path(folder) / file);
    if (!size) throw std::runtime_error("the converter made no " + file);
    // A file may be in two results: a zip holds the blob as well.
    const std::string copy = folder + "/" + file + ".result";
    fs::copy_file(fs::path(folder) / file, copy, fs::copy_options::overwrite_existing);
    results.push_back({o.kind, o.name, *size, store_.keep(copy, *size)});
  }
  j.results = std::move(results);  // all or none
}

}  // namespace blobsmith::serve
