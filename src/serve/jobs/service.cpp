#include "serve/jobs/service.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>

namespace blobsmith::serve {
namespace {

namespace fs = std::filesystem;

/// One process for one folder: its leases are nobody else's.
int lock_folder(const std::string& folder) {
  const int f = open((folder + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (f < 0) throw std::runtime_error("can't write into " + folder);
  if (flock(f, LOCK_EX | LOCK_NB) != 0) throw std::runtime_error("another server uses the folder " + folder);
  return f;
}

}  // namespace

Service::Service(ServiceOptions options) : options_(std::move(options)) {
  options_.data = fs::absolute(options_.data).lexically_normal();
  for (const char* folder : {"uploads", "work", "fetched"}) {
    fs::create_directories(options_.data + "/" + folder);
  }
  lock_ = lock_folder(options_.data);
  // What a process left that was killed.
  for (const char* folder : {"uploads", "work", "fetched"})
    for (const auto& entry : fs::directory_iterator(options_.data + "/" + folder)) fs::remove_all(entry.path());
  const bool shared = !options_.database.empty();
  options_.zoo.other_machines = shared;
  sql_ = shared ? open_postgres(options_.database) : open_sqlite(options_.data + "/jobs.sqlite");
  if (options_.objects.empty()) options_.objects = shared ? "database" : "folder:" + options_.data + "/objects";
  objects_ = open_objects(options_.objects, *sql_);
  store_ = std::make_unique<JobStore>(*sql_, *objects_);
  if (!shared) store_->forget_leases();
  sandbox_ = std::make_unique<Sandbox>(options_.program, options_.data + "/work", options_.bubblewrap);
  if (!sandbox_->layers().rlimits) throw std::runtime_error("jobs can't be started with " + options_.program);
  if (options_.require_sandbox && !sandbox_->layers().complete())
    throw std::runtime_error("--sandbox=require: this system has only these layers: " + sandbox_->layers().list());
  if (options_.zoo.cache_folder.empty()) options_.zoo.cache_folder = options_.data + "/zoo";
  zoo_ = std::make_unique<Zoo>(options_.zoo);
  const int processors = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  if (options_.workers == 0) options_.workers = processors;
  runner_ = std::make_unique<Runner>(
      *store_, *sandbox_,
      RunnerOptions{options_.data + "/work", zoo_.get(), std::max(0, options_.workers),
                    options_.workers < 0 ? 0 : options_.downloads, options_.limits, options_.lease_seconds},
      [this](const Job& j) { changed(j); });
}

Service::~Service() {
  stop();
  if (lock_ >= 0) close(lock_);
}

void Service::start() {
  runner_->start();
  cleaner_ = std::thread([this] { clean_up(); });
  if (sql_->shared()) listener_ = std::thread([this] { listen(); });
}

void Service::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
  }
  stop_asked_.notify_all();
  runner_->stop();
  if (cleaner_.joinable()) cleaner_.join();
  if (listener_.joinable()) listener_.join();
}

void Service::changed(const Job& j) {
  if (j.state == State::Done) ++numbers_.done;
  if (j.state == State::Failed) ++numbers_.failed;
  if (j.state == State::Cancelled) ++numbers_.cancelled;
  hub_.tell(j);
}

void Service::submit(Job& j) {
  if (!is_end(j.state) && store_->counts().queued >= options_.queue) {
    ++numbers_.refused;
    HttpError e(429, std::to_string(options_.queue) + " jobs wait already", "BS5001", "try again in a while");
    e.headers = {{"Retry-After", "10"}};
    throw e;
  }
  store_->submit(j);
  ++numbers_.submitted;
  if (j.cached) ++numbers_.from_cache;
  if (!is_end(j.state)) runner_->wake(j.has_to_fetch() ? JobStore::Stage::Download : JobStore::Stage::Commands);
}

std::optional<Job> Service::cancel(const std::string& id) {
  auto j = store_->cancel(id);
  if (!j) return j;
  if (is_end(j->state))
    changed(*j);
  else
    runner_->cancel(id);
  return j;
}

void Service::when_ended(const std::string& id, std::function<void(const Job&)> then) {
  hub_.watch(id, [then = std::move(then)](const Job& j) {
    if (is_end(j.state)) then(j);
    return true;
  });
  // It may have ended before anybody watched.
  if (const auto j = store_->find(id); j && is_end(j->state)) hub_.tell(*j);
}

std::optional<std::string> Service::file_of(const std::string& object) {
  std::string place = options_.data + "/fetched/" + object;
  std::error_code e;
  if (objects_->copies() && fs::exists(place, e)) {
    fs::last_write_time(place, fs::file_time_type::clock::now(), e);
    return place;
  }
  if (!objects_->copies()) return objects_->get(object, place);
  const std::string part = place + "-" + new_id();
  const auto file = objects_->get(object, part);
  if (!file) return std::nullopt;
  fs::rename(part, place);
  return place;
}

void Service::clean_up() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    try {
      stored_bytes_ = store_->clean(options_.quota, options_.keep_seconds);
      zoo_->clean(options_.quota / 4);
      for (const auto& entry : fs::directory_iterator(options_.data + "/fetched")) {
        std::error_code e;
        if (fs::file_time_type::clock::now() - entry.last_write_time(e) > std::chrono::minutes(10))
          fs::remove(entry.path(), e);
      }
    } catch (const std::exception& e) {
      std::cerr << "clean-up: " << e.what() << std::endl;
    }
    lock.lock();
    stop_asked_.wait_for(lock, std::chrono::seconds(5), [&] { return stopping_; });
  }
}

void Service::listen() {
  const auto reload = [&](const std::string& id) {
    if (const auto j = store_->find(id)) hub_.tell(*j);
  };
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
    }
    try {
      const auto told = sql_->listen({kJobsChannel, kStateChannel}, 1);
      if (!told) {
        // What was told while nobody listened.
        for (const std::string& id : hub_.watched()) reload(id);
      } else if (told->first == kJobsChannel) {
        for (const auto stage : {JobStore::Stage::Commands, JobStore::Stage::Download}) runner_->wake(stage);
      } else {
        const auto watched = hub_.watched();
        if (std::ranges::find(watched, told->second) != watched.end()) reload(told->second);
      }
    } catch (const std::exception& e) {
      std::cerr << "database: " << e.what() << std::endl;
      std::unique_lock lock(mutex_);
      stop_asked_.wait_for(lock, std::chrono::seconds(1), [&] { return stopping_; });
    }
  }
}

}  // namespace blobsmith::serve
