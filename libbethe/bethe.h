/*
 * bethe.h: the C interface of bethe, machines whose synapses are one bit each.
 *
 * Languages that call C use it: Python by ctypes (python/), Julia and R as
 * libbethe/README.md shows. Build the library at the root of the project by
 *
 *     go build -buildmode=c-shared -o libbethe.so ./libbethe
 *
 * Conventions.
 *
 * - Samples of spins are rows of bytes 0 and 1, samples x visible units, without gaps.
 *   Inside, 1 is the spin +1 and 0 the spin -1. Samples of real numbers and of colours
 *   (0, 1, ...) are rows of numbers: bethe_samples_of.
 * - Most functions return a status: BETHE_DONE, BETHE_RUNNING, or an error. Of an
 *   error *error is set to a text in UTF-8, to be freed with bethe_free; else it
 *   is left as it was. A text that a function returns is freed likewise.
 * - A handle stands for samples, a machine, a job or a learner. It is freed with
 *   bethe_close, once, and is used by nobody then. 0 is no handle. A function that
 *   fails sets none.
 * - No pointer is kept: what a function needs later it has copied when it returns.
 * - The library calls nobody back, prints nothing and touches no signal. Work that
 *   can last is a job, which goes on in threads of the library: wait for it as long
 *   as you like, as often as you like, and cancel it with bethe_cancel. It gives up within 0.1 s.
 * - Functions may be called from several threads at once, also with one machine
 *   or one job. A learner is used by one thread at a time.
 * - Equal arguments with equal seeds give equal bytes, whatever the number of threads.
 * - A panic inside, which is a mistake of this program, comes as BETHE_PANIC with its message.
 * - The library does not survive fork(): a process that has loaded it may fork to
 *   exec; a child that goes on without exec must not call it. Load it after the fork.
 *
 * A request is a text in JSON; keys that are left out, and an empty or null text,
 * have their defaults. Keys that are not known are errors. Reports are texts in JSON.
 */
#ifndef BETHE_H
#define BETHE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Version of this interface. It changes only where a caller must change. */
#define BETHE_INTERFACE 1

/* Statuses. */
enum {
  BETHE_DONE = 0,
  BETHE_RUNNING = 1,   /* the job has more to do */
  BETHE_INVALID = 2,   /* an argument, a setting or a request is wrong */
  BETHE_FAILED = 3,    /* the work or a file failed */
  BETHE_CANCELLED = 4, /* the job was cancelled */
  BETHE_PANIC = 5      /* a mistake of this program */
};

/* Types of the elements of arrays. */
enum { BETHE_INT8 = 1, BETHE_UINT8 = 2, BETHE_FLOAT32 = 3, BETHE_FLOAT64 = 4, BETHE_INT64 = 5 };

typedef uintptr_t bethe_handle;
typedef const char *bethe_text;       /* UTF-8, ends with 0; not changed */
typedef const uint8_t *bethe_bytes;   /* not changed */
typedef const int64_t *bethe_numbers; /* not changed */

/* An array, row-major, without gaps. */
typedef struct {
  char name[32];       /* ends with 0 */
  int32_t type;        /* of its elements */
  int32_t dimensions;  /* 0 to 3 */
  int64_t shape[3];
  const void *data;    /* of an array that is given; of one that is asked about NULL */
} bethe_array;
typedef const bethe_array *bethe_arrays; /* not changed */

/* Where a job is. */
typedef struct {
  double fraction; /* of the whole stage, from 0 to 1 */
  int64_t step;    /* steps of learning done, else 0 */
  double rate;     /* of learning */
  double coupling; /* J */
  double bound;    /* nats a sample, the last that was measured; NaN before */
  int64_t records; /* kept so far: bethe_records */
  char stage[16];  /* "learning", "drawing", "annealing", ... */
} bethe_progress;

/* The library. ---------------------------------------------------------- */

/* Returns {"interface", "version", "go", "platform", "kernel", "kernels"} as JSON. */
char *bethe_version(void);

/* Returns the default recipe of learning, completed by the settings of recipe, as JSON. */
int32_t bethe_recipe(bethe_text recipe, char **out, char **error);

/* Sets how many threads compute, and returns how many there were; n < 1 only asks. */
int32_t bethe_threads(int32_t n);

/* Frees a text that a function returned. NULL is allowed. */
void bethe_free(void *text);

/* Frees a handle; a job that is under way is cancelled. BETHE_INVALID of one that is none. */
int32_t bethe_close(bethe_handle handle, char **error);

/* Arrays of a machine, or of a job that is done. ------------------------- */

/* Sets *count to their number. */
int32_t bethe_count(bethe_handle handle, int64_t *count, char **error);

/* Describes array k: its data is NULL. */
int32_t bethe_describe(bethe_handle handle, int64_t k, bethe_array *out, char **error);

/* Copies array k to out, which holds so many bytes: exactly those of the array. */
int32_t bethe_copy(bethe_handle handle, int64_t k, void *out, int64_t bytes, char **error);

/* Samples. ---------------------------------------------------------------- */

/* Makes room for samples, a bit each unit; all are 0 at first. */
int32_t bethe_samples_new(int64_t count, int64_t visible, bethe_handle *samples, char **error);

/* Sets samples first, first+1, ... from count rows of bytes 0 and 1. Other bytes are BETHE_INVALID. */
int32_t bethe_samples_set(bethe_handle samples, int64_t first, int64_t count, bethe_bytes x, char **error);

/* Makes samples of units of a kind: "gauss" (real numbers), "potts:K" (colours 0 to K - 1), or
 * "potts" (as many colours as there are). x is FLOAT32, samples x units. A number that is no
 * colour, or not finite, is BETHE_INVALID. */
int32_t bethe_samples_of(bethe_text kind, bethe_array *x, bethe_handle *samples, char **error);

/* Machines. --------------------------------------------------------------- */

/*
 * Makes a machine of the arrays of a model file, in their order. A machine of spins
 * with one hidden layer has synapses (INT8,
 * visible x hidden, -1 or 1) and posterior_mean (FLOAT32, the same), prior_mean if
 * there is one, or instead of these weights (FLOAT32, in units of the coupling);
 * then visible_field, hidden_field, visible_offset, hidden_offset (FLOAT64) and
 * coupling (FLOAT64, no dimension). meta is the text of meta.json; {"format": 1} will do.
 * Others have the arrays that "bethe train" writes for them; the texts meta.json_1, ... of a stack are UINT8.
 */
int32_t bethe_machine_new(bethe_text meta, bethe_arrays arrays, int64_t count, bethe_handle *machine, char **error);

/* Reads a model file. */
int32_t bethe_machine_read(bethe_text path, bethe_handle *machine, char **error);

/* Writes a model file. Equal machines with equal meta give equal bytes. */
int32_t bethe_machine_write(bethe_handle machine, bethe_text path, char **error);

/* Returns meta.json of a machine: how it was made. */
int32_t bethe_machine_meta(bethe_handle machine, char **out, char **error);

/* Tells of what kind a machine is: {"model" (rbm, stack, mixture or tree), "units", "hidden_units" (kinds:
 * spin, gauss, potts:K, group:K, ...), "visible" (units of a sample), "layers" (hidden units, or
 * features, of each layer; causes), "features" (that bethe_features gives),
 * "exact" (whether likelihoods are)} as JSON. */
int32_t bethe_machine_about(bethe_handle machine, char **out, char **error);

/* Of machines of spins with one hidden layer. Gives the machine in the convention of units v, k in {0, 1}, weights
 * exp(constant + v.W.k + vbias.v + hbias.k), as arrays: W (FLOAT64, hidden x visible), vbias, hbias, constant. */
int32_t bethe_zero_one(bethe_handle machine, bethe_handle *arrays, char **error);

/* Makes a machine with real synapses of such arrays, FLOAT64: w is hidden x visible. */
int32_t bethe_from_zero_one(bethe_array *w, bethe_array *vbias, bethe_array *hbias, bethe_handle *machine, char **error);

/* Of machines of spins with one hidden layer. Writes the means of the hidden units, from -1 to 1, of count samples to out,
 * count x hidden: tanh of gain times their fields. */
int32_t bethe_transform(bethe_handle machine, bethe_bytes x, int64_t count, double gain, float *out, char **error);

/* Of machines of spins with one hidden layer. Writes the free energies of count samples to out, in nats: -ln of the sum over hidden
 * states of exp(-energy). ln P of a sample is -F - ln Z. */
int32_t bethe_free_energy(bethe_handle machine, bethe_bytes x, int64_t count, double *out, char **error);

/* Jobs. --------------------------------------------------------------------- */

/*
 * Learns. The machine is that of "bethe train" with the same settings and seed.
 * labels, one each sample, may be NULL; validation (samples) and init (a machine to
 * start from) may be 0. Keys of the request: recipe (settings by the names of
 * run.json; model, units, hidden_units and layers say of what kind the machine is), seed,
 * program and data (words for files), width and height of a picture, folder (a run folder; "" writes nothing), resume, measure_every,
 * validation_share (of the samples, held out to validate on), names (an object: what
 * errors call settings). The report has result and recipe; bethe_records has the records.
 * Arrays: scouts (UINT8, count x visible), heavy states that learning met, if it met any.
 */
int32_t bethe_learn(bethe_handle samples, bethe_text request, bethe_numbers labels, bethe_handle validation,
                    bethe_handle init, bethe_handle *job, char **error);

/*
 * Gives what hidden units make of samples of any machine. Keys: gain (of the fields; 1). Arrays: features
 * (FLOAT32, samples x features): means of hidden spins, probabilities of the features of groups, of a
 * deep machine those of all hidden layers, the first one first; posteriors of causes, and of a tree those of the
 * states of all groups after them.
 */
int32_t bethe_features(bethe_handle machine, bethe_handle samples, bethe_text request, bethe_handle *job, char **error);

/*
 * Gives log-weights of samples of any machine: ln P is by ln Z smaller. Keys: seed. Arrays: log_weight (FLOAT64, one a
 * sample): minus the free energy; of real numbers a density in the units of the data; of a deep machine a lower bound on
 * average, drawn with seed; of a mixture or a tree ln P itself.
 */
int32_t bethe_log_weights(bethe_handle machine, bethe_handle samples, bethe_text request, bethe_handle *job, char **error);

/*
 * Measures the log-likelihood of samples. Keys: temperatures, chains, equilibration,
 * seed, draws (machines of the posterior to measure as well; 0: none), anneal (also
 * where the exact value is in reach). starts (samples, or 0) are states at which the search for
 * heavy states begins too: the scouts of bethe_learn. The report is that of "bethe eval --json".
 */
int32_t bethe_evaluate(bethe_handle machine, bethe_handle samples, bethe_handle starts, bethe_text request, bethe_handle *job, char **error);

/*
 * Draws samples by Gibbs chains. Keys: count, sweeps, tempered, seed. Arrays: samples
 * (UINT8, count x visible) and visible_mean (FLOAT32, the probability of 1 given the hidden units).
 * Real numbers are FLOAT32 and have the mean given the hidden units; colours are INT8, and visible_mean is
 * count x visible x colours. A mixture or tree is not swept: samples are independent, with causes (INT64).
 */
int32_t bethe_sample(bethe_handle machine, bethe_text request, bethe_handle *job, char **error);

/*
 * Goes on from samples by Gibbs sweeps, a chain each. Keys: sweeps, seed. Arrays: samples,
 * visible_mean as above, and of spins with one hidden layer hidden (UINT8, count x hidden).
 * Not of mixtures and trees.
 */
int32_t bethe_gibbs(bethe_handle machine, bethe_handle samples, bethe_text request, bethe_handle *job, char **error);

/*
 * Infers the units of samples that are not among the count known ones. Keys: chains,
 * sweeps, seed. Arrays: mean (FLOAT32, samples x visible, the probability of 1),
 * completions (UINT8, samples x chains x visible), r_hat (FLOAT64, of the first samples). Of mixtures and trees means
 * are exact, and there is no r_hat. Of other units than spins there is mean alone, exact if the hidden states can be
 * enumerated: of real numbers in the units of the data, of colours samples x visible x colours. Machines that
 * cannot are BETHE_INVALID.
 */
int32_t bethe_complete(bethe_handle machine, bethe_handle samples, bethe_numbers known, int64_t count,
                       bethe_text request, bethe_handle *job, char **error);

/*
 * Infers what samples were before each unit was flipped with probability flip.
 * Keys: flip, chains, sweeps, seed. Arrays: mean and r_hat as above.
 */
int32_t bethe_denoise(bethe_handle machine, bethe_handle samples, bethe_text request, bethe_handle *job, char **error);

/* Waits for at most so many seconds. BETHE_RUNNING: there is more to do. progress may be NULL. */
int32_t bethe_wait(bethe_handle job, double seconds, bethe_progress *progress, char **error);

/* Asks a job to give up. bethe_wait then returns BETHE_CANCELLED soon. */
int32_t bethe_cancel(bethe_handle job, char **error);

/* Returns the report of a job that is done. */
int32_t bethe_report(bethe_handle job, char **out, char **error);

/* Returns the records of learning from number first on, as a JSON array; also under way. */
int32_t bethe_records(bethe_handle job, int64_t first, char **out, char **error);

/* Gives the machine that a job has learned. */
int32_t bethe_learned(bethe_handle job, bethe_handle *machine, char **error);

/* Learning batch by batch. ---------------------------------------------------- */

/* Makes a learner, which takes a step for each batch of samples that it is given, at a
 * constant rate. samples are the first batch, which it does not learn yet; the request
 * and init are those of bethe_learn. */
int32_t bethe_online_new(bethe_handle samples, bethe_text request, bethe_handle init, bethe_handle *learner, char **error);

/* Takes a step. Of total samples the batch is a part; 0: of those that it was given so far. */
int32_t bethe_online_step(bethe_handle learner, bethe_handle samples, int64_t total, bethe_progress *progress, char **error);

/* Gives the machine as it is. */
int32_t bethe_online_machine(bethe_handle learner, bethe_handle *machine, char **error);

#ifdef __cplusplus
}
#endif

#endif
