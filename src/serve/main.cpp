// blobsmith-server: what `blobsmith serve`, `worker` and `zoo` become.
#include <malloc.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <iostream>

#include "blobsmith/version.hpp"
#include "serve/routes/routes.hpp"
#include "serve/zoo_command.hpp"

#ifndef BLOBSMITH_NETRON_DIR
#define BLOBSMITH_NETRON_DIR ""
#endif

namespace blobsmith::serve {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  ServerOptions server;
  ServiceOptions service;
  std::string sandbox = "auto", netron = BLOBSMITH_NETRON_DIR;
  std::vector<std::string> zoos;
  double keep_days = 30;
  bool no_bubblewrap = false, self_test = false;
};

/// The program that runs jobs: beside this one.
std::string find_program() {
  const fs::path folder = fs::read_symlink("/proc/self/exe").parent_path();
  for (const fs::path& p : {folder / "blobsmith", folder / "../../bin/blobsmith"})
    if (fs::exists(p)) return fs::canonical(p);
  throw std::runtime_error("there is no blobsmith beside " + folder.string());
}

void add_zoo_options(CLI::App& app, ZooOptions& o, std::vector<std::string>& zoos) {
  app.add_option("--zoo", zoos,
                 "a folder with models (model.yml), or intel=FOLDER, depthai=FOLDER (repeatable; default: the models "
                 "that come with the program)")
      ->allow_extra_args(false);
  app.add_option("--mirror", o.mirrors, "a folder or URL that holds NAME/FILE of the models (repeatable)")
      ->allow_extra_args(false);
  app.add_flag("--allow-download", o.download, "fetch models' files from where their model.yml says");
}

void add_service_options(CLI::App& app, Arguments& a) {
  ServiceOptions& o = a.service;
  app.add_option("--data", o.data, "folder for jobs, models and blobs")->required();
  app.add_option("--database", o.database,
                 "postgresql://USER@HOST/NAME, shared by servers and workers (default: SQLite in the data folder)");
  app.add_option("--objects", o.objects,
                 "where models and blobs are: folder:PATH, database, s3://BUCKET/PREFIX?endpoint=URL&region=NAME");
  app.add_option("--jobs", o.workers, "jobs at once (default: as many as processors)")->check(CLI::Range(1, 1024));
  app.add_option("--downloads", o.downloads, "jobs that fetch files at once (default 4)")->check(CLI::Range(1, 256));
  app.add_option("--job-seconds", o.limits.seconds, "that a job may take (default 600)")->check(CLI::Range(1, 86400));
  app.add_option("--job-memory", o.limits.memory_bytes,
                 "that a job may use: 4G (default: half of the machine's, 16G at most)")
      ->transform(CLI::AsSizeValue(false));
  app.add_option("--job-file-size", o.limits.file_bytes, "of a file that a job writes (default 4G)")
      ->transform(CLI::AsSizeValue(false));
  app.add_option("--lease-seconds", o.lease_seconds,
                 "without a sign of life, after which another worker takes a job (default 30)");
  app.add_option("--sandbox", a.sandbox,
                 "auto: with the layers that this system has; require: refuse to start without all but bubblewrap")
      ->check(CLI::IsMember({"auto", "require"}));
  app.add_flag("--no-bubblewrap", a.no_bubblewrap, "jobs start faster without it");
  add_zoo_options(app, o.zoo, a.zoos);
}

void add_server_options(CLI::App& app, Arguments& a) {
  app.add_option("--port", a.server.port, "(default 8080; 0: any)")->check(CLI::Range(0, 65535));
  app.add_option("--address", a.server.address, "to listen on (default 127.0.0.1: this machine alone; 0.0.0.0 or ::)");
  app.add_option("--host", a.server.hosts,
                 "a name of this server (repeatable): others are refused. Without it any name will do, or with an "
                 "address of this machine alone none but localhost")
      ->allow_extra_args(false);
  app.add_option("--max-upload", a.server.body_bytes, "bytes of a request (default 1G)")
      ->transform(CLI::AsSizeValue(false));
  app.add_option("--connections", a.server.connections, "at once (default 4000)")->check(CLI::Range(1, 1000000));
  app.add_option("--connections-per-address", a.server.connections_of_one_address,
                 "(default 1500; lower where no proxy stands in front)")
      ->check(CLI::Range(1, 1000000));
  app.add_option("--idle-seconds", a.server.idle_seconds, "without a byte, after which a connection ends (default 30)")
      ->check(CLI::Range(1, 86400));
  app.add_option("--queue", a.service.queue, "jobs that may wait (default 200)")->check(CLI::Range(1, 1000000));
  app.add_option("--quota", a.service.quota, "of models and blobs; the longest unused go (default 20G)")
      ->transform(CLI::AsSizeValue(false));
  app.add_option("--keep-days", a.keep_days, "that a job is shown after its end (default 30)")
      ->check(CLI::PositiveNumber);
  app.add_flag("--no-worker{-1}", a.service.workers, "take no jobs: workers of the same database do");
  app.add_flag("--self-test", a.self_test, "try to get out of the sandbox in every way, say what came of it, and end");
  app.add_option("--netron", a.netron, "folder with Netron's page (the folder netron of its PyPI package)");
}

void use_zoos(ZooOptions& o, const std::vector<std::string>& zoos) {
  for (const std::string& z : zoos) {
    const size_t eq = z.find('=');
    if (eq == std::string::npos)
      o.folders.emplace_back("intel", z);
    else
      o.folders.emplace_back(z.substr(0, eq), z.substr(eq + 1));
  }
}

/// So that one job leaves the machine alive.
uint64_t usual_memory() {
  const auto all = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return std::min(all / 2, uint64_t{16} << 30);
}

sigset_t stop_signals() {
  sigset_t s;
  sigemptyset(&s);
  sigaddset(&s, SIGINT);
  sigaddset(&s, SIGTERM);
  return s;
}

void use_all_descriptors() {
  rlimit r{};
  getrlimit(RLIMIT_NOFILE, &r);
  r.rlim_cur = r.rlim_max;
  setrlimit(RLIMIT_NOFILE, &r);
}

void prepare(Arguments& a) {
  use_all_descriptors();
#ifdef __GLIBC__
  mallopt(M_ARENA_MAX, 2);  // many threads, little work each
#endif
  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  a.service.program = find_program();
  a.service.bubblewrap = !a.no_bubblewrap;
  a.service.require_sandbox = a.sandbox == "require";
  a.service.keep_seconds = a.keep_days * 86400;
  if (a.service.limits.memory_bytes == JobLimits{}.memory_bytes) a.service.limits.memory_bytes = usual_memory();
  use_zoos(a.service.zoo, a.zoos);
  if (a.service.zoo.folders.empty()) a.service.zoo.folders = shipped_models();
}

void wait_for_stop() {
  const sigset_t signals = stop_signals();
  int signal = 0;
  sigwait(&signals, &signal);
}

int self_test(const Service& service) {
  std::vector<std::pair<std::string, std::string>> results;
  const bool safe = test_sandbox(service.sandbox(), service.options().data + "/work", results);
  std::printf("sandbox: %s\n", service.sandbox().layers().list().c_str());
  for (const auto& [what, how] : results) std::printf("%-8s %s\n", what.c_str(), how.c_str());
  return safe ? 0 : 4;
}

int serve(int argc, char** argv) {
  CLI::App app("the conversion service: a page, the API of blobconverter, and one of its own", "blobsmith serve");
  Arguments a;
  add_server_options(app, a);
  add_service_options(app, a);
  CLI11_PARSE(app, argc, argv);
  prepare(a);
  Service service(a.service);
  if (a.self_test) return self_test(service);
  a.server.upload_folder = service.options().data + "/uploads";
  if (!a.netron.empty()) {
    if (!fs::exists(a.netron + "/index.html"))
      throw std::runtime_error("--netron: there is no index.html in " + a.netron);
    a.netron = fs::canonical(a.netron);
  }
  Server server(a.server);
  server.on_error(error_response);
  add_api_routes(server, service, !a.netron.empty());
  add_converter_routes(server, service);
  add_page_routes(server, a.netron);
  service.start();
  server.start();
  std::printf("sandbox: %s\n", service.sandbox().layers().list().c_str());
  std::printf("http://%s:%d/\n",
              a.server.address.find(':') == std::string::npos ? a.server.address.c_str()
                                                              : ("[" + a.server.address + "]").c_str(),
              server.port());
  std::fflush(stdout);
  wait_for_stop();
  service.stop();
  server.stop();
  return 0;
}

int work(int argc, char** argv) {
  CLI::App app("takes jobs of services that share a database", "blobsmith worker");
  Arguments a;
  add_service_options(app, a);
  app.get_option("--database")->required();
  CLI11_PARSE(app, argc, argv);
  prepare(a);
  Service service(a.service);
  service.start();
  std::printf("sandbox: %s\nworking\n", service.sandbox().layers().list().c_str());
  std::fflush(stdout);
  wait_for_stop();
  service.stop();
  return 0;
}

int zoo(int argc, char** argv) {
  CLI::App app("lists, fetches and converts models of a zoo: folders with model.yml files", "blobsmith zoo");
  ZooCommand c;
  std::vector<std::string> zoos;
  add_zoo_options(app, c.options, zoos);
  add_zoo_verbs(app, c);
  CLI11_PARSE(app, argc, argv);
  use_zoos(c.options, zoos);
  return run_zoo_command(c, find_program());
}

}  // namespace
}  // namespace blobsmith::serve

int main(int argc, char** argv) {
  const std::string verb = argc > 1 ? argv[1] : "";
  try {
    if (verb == "serve") return blobsmith::serve::serve(argc - 1, argv + 1);
    if (verb == "worker") return blobsmith::serve::work(argc - 1, argv + 1);
    if (verb == "zoo") return blobsmith::serve::zoo(argc - 1, argv + 1);
    std::fprintf(stderr, "blobsmith-server is started by blobsmith serve, worker or zoo\n");
    return 2;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "error[BS5001]: %s\n", e.what());
    return 3;
  }
}
