/* The C interface as a program in C sees it: c_interface MODEL.onnx BROKEN.onnx FOLDER. Run under valgrind as well, so
 * everything is freed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blobsmith/blobsmith.h"

static void expect(int line, int truth, const char* what) {
  if (truth) return;
  fprintf(stderr, "%d: not so: %s\n", line, what);
  exit(1);
}
#define EXPECT(x) expect(__LINE__, (x), #x)

static int never(void* user, const char* phase, double fraction) {
  ++*(int*)user;
  return phase == NULL || fraction < 0 || fraction > 1;
}

static int stop_at_once(void* user, const char* phase, double fraction) {
  (void)phase, (void)fraction;
  ++*(int*)user;
  return 1;
}

static blobsmith_file read_file(const char* path, const char* name) {
  FILE* f = fopen(path, "rb");
  char* data = malloc(1 << 20);
  blobsmith_file file = {name, data, 0};
  EXPECT(f != NULL && data != NULL);
  file.size = fread(data, 1, 1 << 20, f);
  fclose(f);
  return file;
}

/* A call that has to end with this code; true if its report has the text. */
static int ends(blobsmith_result* r, int code, const char* text) {
  const int right = blobsmith_code(r) == code && strstr(blobsmith_report(r), text) != NULL;
  if (!right) fprintf(stderr, "code %d, report %s\n", blobsmith_code(r), blobsmith_report(r));
  blobsmith_free(r);
  return right;
}

static void convert_from_memory(const blobsmith_file* model) {
  int calls = 0;
  blobsmith_result* r = blobsmith_convert("{\"shaves\": 4}", model, 1, never, &calls);
  EXPECT(blobsmith_code(r) == 0 && blobsmith_count(r) == 1 && blobsmith_size(r, 0) > 132 && calls > 0);
  EXPECT(blobsmith_data(r, 1) == NULL && blobsmith_size(r, 1) == 0);
  blobsmith_free(r);
  EXPECT(ends(blobsmith_check("{}", model, 1, NULL, NULL), 0, "layers"));
  EXPECT(ends(blobsmith_compare("{}", model, 1, NULL, NULL), 0, "outputs_within"));
  EXPECT(ends(blobsmith_estimate("{}", model, 1, NULL, NULL), 0, "fps"));
  EXPECT(ends(blobsmith_compile("{}", model, 1, NULL, NULL), 0, "stages"));
  EXPECT(ends(blobsmith_measured_speeds(), 0, "fps"));
}

static void fail_in_every_way(const blobsmith_file* model, const blobsmith_file* broken) {
  int calls = 0;
  const blobsmith_file nonsense = {"x.blob", "nonsense", 8}, empty = {"x.onnx", "", 0};
  blobsmith_emulator* e = NULL;
  EXPECT(ends(blobsmith_convert("{}", broken, 1, NULL, NULL), 2003, "NoSuchOperator"));
  EXPECT(ends(blobsmith_convert("{\"shave\": 4}", model, 1, NULL, NULL), 4001, "did you mean"));
  EXPECT(ends(blobsmith_convert("{\"shaves\": \"many\"}", model, 1, NULL, NULL), 4002, "shaves"));
  EXPECT(ends(blobsmith_convert("{\"model\": \"/no/such.onnx\"}", NULL, 0, NULL, NULL), 1001, "no/such"));
  EXPECT(ends(blobsmith_convert("{}", model, 1, stop_at_once, &calls), 6001, "errors"));
  EXPECT(ends(blobsmith_superblob("{}", model, 1, stop_at_once, &calls), 6001, "errors") && calls >= 2);
  {
    blobsmith_result* r = blobsmith_convert("{", model, 1, NULL, NULL);
    EXPECT(blobsmith_code(r) != 0);
    blobsmith_free(r);
    r = blobsmith_convert("{}", &empty, 1, NULL, NULL);
    EXPECT(blobsmith_code(r) / 1000 == 1 || blobsmith_code(r) / 1000 == 2);
    blobsmith_free(r);
    r = blobsmith_inspect("{}", &nonsense, 1);
    EXPECT(blobsmith_code(r) / 1000 == 1);
    blobsmith_free(r);
    r = blobsmith_emulator_open("{}", &nonsense, 1, &e);
    EXPECT(blobsmith_code(r) / 1000 == 1 && e == NULL);
    blobsmith_free(r);
  }
  blobsmith_free(NULL);
  blobsmith_emulator_close(NULL);
}

static void run(const blobsmith_file* model) {
  static float picture[3 * 16 * 16];
  blobsmith_result* blob = blobsmith_convert("{}", model, 1, NULL, NULL);
  const blobsmith_file file = {"x.blob", blobsmith_data(blob, 0), blobsmith_size(blob, 0)};
  blobsmith_emulator* e = NULL;
  blobsmith_result* output;
  EXPECT(ends(blobsmith_emulator_open("{\"threads\": 1}", &file, 1, &e), 0, "inputs") && e != NULL);
  blobsmith_free(blob);
  for (int i = 0; i < 2; ++i) {
    EXPECT(ends(blobsmith_emulator_set(e, "x", picture, 3 * 16 * 16), 0, "{"));
    EXPECT(ends(blobsmith_emulator_run(e, NULL, NULL), 0, "milliseconds"));
  }
  output = blobsmith_emulator_output(e, "y");
  EXPECT(blobsmith_code(output) == 0 && blobsmith_size(output, 0) == 4 * sizeof(float));
  blobsmith_free(output);
  blobsmith_free(blobsmith_emulator_set(e, "x", picture, 7));
  blobsmith_free(blobsmith_emulator_set(e, "none", picture, 7));
  blobsmith_free(blobsmith_emulator_output(e, "none"));
  blobsmith_emulator_close(e);
}

static void pack(const blobsmith_file* model, const char* folder) {
  char options[4096];
  blobsmith_result* all = blobsmith_superblob("{}", model, 1, NULL, NULL);
  const blobsmith_file superblob = {"s.superblob", blobsmith_data(all, 0), blobsmith_size(all, 0)};
  blobsmith_result *one = blobsmith_superblob_extract("{\"shaves\": 3}", &superblob, 1), *same;
  same = blobsmith_convert("{\"shaves\": 3}", model, 1, NULL, NULL);
  EXPECT(blobsmith_code(one) == 0 && blobsmith_size(one, 0) == blobsmith_size(same, 0));
  EXPECT(memcmp(blobsmith_data(one, 0), blobsmith_data(same, 0), blobsmith_size(one, 0)) == 0);
  blobsmith_free(one);
  blobsmith_free(same);
  snprintf(options, sizeof options, "{\"path\": \"%s/c.tar.xz\"}", folder);
  EXPECT(ends(blobsmith_nn_archive(options, &superblob, 1), 0, "{"));
  blobsmith_free(all);
  snprintf(options, sizeof options, "{\"path\": \"%s/c.tar.xz\"}", folder);
  EXPECT(ends(blobsmith_nn_archive_read(options), 0, "config_version"));
}

int main(int argc, char** argv) {
  blobsmith_file model, broken;
  EXPECT(argc == 4);
  EXPECT(blobsmith_abi() / 1000 == BLOBSMITH_ABI_MAJOR && strchr(blobsmith_version(), '.') != NULL);
  model = read_file(argv[1], "model.onnx");
  broken = read_file(argv[2], "broken.onnx");
  convert_from_memory(&model);
  fail_in_every_way(&model, &broken);
  run(&model);
  pack(&model, argv[3]);
  free((void*)model.data);
  free((void*)broken.data);
  return 0;
}
