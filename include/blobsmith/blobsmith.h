/* The C interface of blobsmith, for other languages: one shared library, libblobsmith.so.
 *
 * Every call that can fail gives a result, which has to be freed. Options go in and reports come out as JSON (UTF-8,
 * ended by a zero byte); unknown options are errors. Files can be given by name (a path) or by contents. All functions
 * may be called from several threads at once; one emulator is for one thread at a time.
 *
 *   blobsmith_result* r = blobsmith_convert("{\"model\": \"m.onnx\", \"shaves\": 6}", NULL, 0, NULL, NULL);
 *   if (blobsmith_code(r) == 0) fwrite(blobsmith_data(r, 0), 1, blobsmith_size(r, 0), file);
 *   else fputs(blobsmith_report(r), stderr);
 *   blobsmith_free(r);
 */
#ifndef BLOBSMITH_H
#define BLOBSMITH_H
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define BLOBSMITH_API __attribute__((visibility("default")))
#else
#define BLOBSMITH_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Grows when a function or an option is added; the first digits change when one is taken away. */
#define BLOBSMITH_ABI_MAJOR 1
#define BLOBSMITH_ABI_MINOR 0
/* major * 1000 + minor of the library that runs. */
BLOBSMITH_API int blobsmith_abi(void);
/* "0.1.0". */
BLOBSMITH_API const char* blobsmith_version(void);

/* A file in memory. Read during the call only. */
typedef struct blobsmith_file {
  const char* name; /* as it would be called: the ending picks the reader */
  const void* data;
  size_t size;
} blobsmith_file;

/* Called now and then on the calling thread with a phase and a fraction from 0 to 1; what is not 0 stops the call,
 * whose result has the code 6001. */
typedef int (*blobsmith_progress)(void* user, const char* phase, double fraction);

typedef struct blobsmith_result blobsmith_result;
/* 0, or the number of the first error: 2003 is BS2003 (docs/errors.md). */
BLOBSMITH_API int blobsmith_code(const blobsmith_result* r);
/* The report; of a failed call {"errors": [{"code", "message", "file", "layer", "type", "source", "why", "hint"}]}. */
BLOBSMITH_API const char* blobsmith_report(const blobsmith_result* r);
/* Bytes that the call made, by number (0: the blob, superblob or archive's model). NULL and 0 where there are none. */
BLOBSMITH_API size_t blobsmith_count(const blobsmith_result* r);
BLOBSMITH_API const void* blobsmith_data(const blobsmith_result* r, size_t index);
BLOBSMITH_API size_t blobsmith_size(const blobsmith_result* r, size_t index);
BLOBSMITH_API void blobsmith_free(blobsmith_result* r); /* NULL does nothing */

/* Options of all that reads a model ("model": its path, left out where `files` hold it, the model first):
 *   input_shapes {name: [numbers]}, inputs, outputs, shapes, batch, mean_values, scale_values, reverse_input_channels,
 *   layout "nhwc->nchw", strip_quant false, yolo_head false,
 *   target "2022.1", quirks false
 * and of all that compiles it for a camera:
 *   shaves 6, slices, input_precision, output_precision, io_precision {name: "U8"}, config {key: value} */
/* A model to a blob. */
BLOBSMITH_API blobsmith_result* blobsmith_convert(const char* options, const blobsmith_file* files, size_t count,
                                                  blobsmith_progress progress, void* user);
/* A model for every number of SHAVEs, as a superblob of depthai 3. */
BLOBSMITH_API blobsmith_result* blobsmith_superblob(const char* options, const blobsmith_file* files, size_t count,
                                                    blobsmith_progress progress, void* user);
/* An IR or ONNX model as Intel's compile_tool does: input_precision, output_precision, io_precision, input_layout,
 * output_layout, io_layout, shaves, slices, config, target "" (6.0), quirks true. */
BLOBSMITH_API blobsmith_result* blobsmith_compile(const char* options, const blobsmith_file* files, size_t count,
                                                  blobsmith_progress progress, void* user);
/* Every problem of a model, layer by layer; "fix": true. The code is 0 also where there are problems. */
BLOBSMITH_API blobsmith_result* blobsmith_check(const char* options, const blobsmith_file* files, size_t count,
                                                blobsmith_progress progress, void* user);
/* A blob against its model: "blob": path (left out: made by convert), "tolerance", "seed", "threads", "input_files". */
BLOBSMITH_API blobsmith_result* blobsmith_compare(const char* options, const blobsmith_file* files, size_t count,
                                                  blobsmith_progress progress, void* user);
/* Speed on the device. "blob": path of a blob instead of a model, or a file that ends in .blob. */
BLOBSMITH_API blobsmith_result* blobsmith_estimate(const char* options, const blobsmith_file* files, size_t count,
                                                   blobsmith_progress progress, void* user);
/* What is in a blob: one file, by "blob": path or in memory. */
BLOBSMITH_API blobsmith_result* blobsmith_inspect(const char* options, const blobsmith_file* files, size_t count);
/* Out of a superblob ("path", or one file in memory) the blob for "shaves". */
BLOBSMITH_API blobsmith_result* blobsmith_superblob_extract(const char* options, const blobsmith_file* files,
                                                            size_t count);
/* An NN archive at "path" of the blob or superblob in `files`: "name", "dai_type", "heads" [...],
 * "build_info" {...}; inputs and outputs are read from the blob. */
BLOBSMITH_API blobsmith_result* blobsmith_nn_archive(const char* options, const blobsmith_file* files, size_t count);
/* The other way: report = {"config", "model_name", "members"}, data 0 = the model. Option "path". */
BLOBSMITH_API blobsmith_result* blobsmith_nn_archive_read(const char* options);
/* Published speeds, as `blobsmith fps --json` has them. */
BLOBSMITH_API blobsmith_result* blobsmith_measured_speeds(void);

/* Runs a blob on this machine, many times on one allocation. */
typedef struct blobsmith_emulator blobsmith_emulator;
/* "blob": path, or one file in memory; "threads" 0 = one per processor. The report has "inputs" and "outputs" with
 * name, type and shape. *emulator is NULL where the call failed. */
BLOBSMITH_API blobsmith_result* blobsmith_emulator_open(const char* options, const blobsmith_file* files, size_t count,
                                                        blobsmith_emulator** emulator);
/* Values in the input's shape, row by row: count floats, or 32-bit integers for I32. */
BLOBSMITH_API blobsmith_result* blobsmith_emulator_set(blobsmith_emulator* e, const char* input, const float* values,
                                                       size_t count);
BLOBSMITH_API blobsmith_result* blobsmith_emulator_set_integers(blobsmith_emulator* e, const char* input,
                                                                const int32_t* values, size_t count);
/* The report has "milliseconds". */
BLOBSMITH_API blobsmith_result* blobsmith_emulator_run(blobsmith_emulator* e, blobsmith_progress progress, void* user);
/* Data 0: the output as floats; the report has its "shape", which a run may decide. */
BLOBSMITH_API blobsmith_result* blobsmith_emulator_output(blobsmith_emulator* e, const char* output);
BLOBSMITH_API void blobsmith_emulator_close(blobsmith_emulator* e); /* NULL does nothing */

#ifdef __cplusplus
}
#endif
#endif
