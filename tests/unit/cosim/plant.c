/* A first-order plant as an FMU for tests: dx/dt = k (u - x), y = x + gain u, with behaviours chosen by parameters.
   Compiled with -DFMI=2 or -DFMI=3 against the standard's headers; the step is exact for an input that stays. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if FMI == 2
#include "fmi2Functions.h"
typedef fmi2Component Handle;
typedef fmi2Status Status;
typedef fmi2ValueReference Reference;
#define OK fmi2OK
#define DISCARD fmi2Discard
#else
#include "fmi3Functions.h"
typedef fmi3Instance Handle;
typedef fmi3Status Status;
typedef fmi3ValueReference Reference;
#define OK fmi3OK
#define DISCARD fmi3Discard
#endif

enum { U, X, Y, K, GAIN, X0, LIMIT, REJECT_AT, LARGEST, CRASH_AT, END_AT, CRASH_FREE, REALS };
enum { COUNT = 100, N, ABOVE = 200, FLAG, LABEL = 300, TEXT };

static volatile int *volatile nowhere;

typedef struct {
    double real[REALS];
    double time;
    int count, n, flag, ended;
    char text[64], label[64];
} State;

typedef struct {
    State now;
#if FMI == 2
    fmi2CallbackFunctions callbacks;
#else
    fmi3InstanceEnvironment environment;
    fmi3LogMessageCallback log;
#endif
    char name[64];
} Plant;

static void say(Plant *plant, Status status, const char *message) {
#if FMI == 2
    plant->callbacks.logger(plant->callbacks.componentEnvironment, plant->name, status, "logStatusDiscard", "%s (%d)", message, 7);
#else
    plant->log(plant->environment, status, "logStatusDiscard", message);
#endif
}

static Plant *made(const char *name) {
    Plant *plant = calloc(1, sizeof *plant);
    double *real = plant->now.real;
    real[K] = 1.0;
    real[LIMIT] = 0.5;
    real[REJECT_AT] = real[LARGEST] = real[CRASH_AT] = real[END_AT] = 1e30;
    snprintf(plant->name, sizeof plant->name, "%s", name);
    strcpy(plant->now.label, "low");
    return plant;
}

static Status step(Plant *plant, double time, double size) {
    State *now = &plant->now;
    double *real = now->real, end = time + size;
    if (end > real[CRASH_AT]) *nowhere = 1;
    if (end > real[END_AT]) { now->ended = 1; return FMI == 2 ? DISCARD : OK; }
    if (end > real[REJECT_AT] || size > real[LARGEST]) { say(plant, DISCARD, "the plant does not like this step"); return DISCARD; }
    real[X] = real[U] + (real[X] - real[U]) * exp(-real[K] * size);
    now->time = end;
    now->count += 1;
    return OK;
}

static double read_real(Plant *plant, Reference reference) {
    double *real = plant->now.real;
    return reference == Y ? real[X] + real[GAIN] * real[U] : real[reference];
}

#define EACH(count) for (size_t i = 0; i < (count); i++)
#define PLANT ((Plant *)handle)

#if FMI == 2
fmi2Component fmi2Instantiate(fmi2String name, fmi2Type type, fmi2String guid, fmi2String resources, const fmi2CallbackFunctions *callbacks, fmi2Boolean visible, fmi2Boolean logging) {
    (void)type; (void)guid; (void)resources; (void)visible; (void)logging;
    Plant *plant = made(name);
    plant->callbacks = *callbacks;
    return plant;
}
void fmi2FreeInstance(Handle handle) { if (PLANT->now.real[CRASH_FREE] > 0) *nowhere = 1; free(handle); }
Status fmi2SetupExperiment(Handle handle, fmi2Boolean a, fmi2Real b, fmi2Real start, fmi2Boolean c, fmi2Real stop) {
    (void)a; (void)b; (void)c; (void)stop; PLANT->now.time = start; return OK;
}
Status fmi2EnterInitializationMode(Handle handle) { PLANT->now.real[X] = PLANT->now.real[X0]; return OK; }
Status fmi2ExitInitializationMode(Handle handle) { (void)handle; return OK; }
Status fmi2Terminate(Handle handle) { (void)handle; return OK; }
Status fmi2SetDebugLogging(Handle handle, fmi2Boolean on, size_t count, const fmi2String names[]) { (void)handle; (void)on; (void)count; (void)names; return OK; }
Status fmi2GetReal(Handle handle, const Reference r[], size_t count, fmi2Real v[]) { EACH(count) v[i] = read_real(PLANT, r[i]); return OK; }
Status fmi2SetReal(Handle handle, const Reference r[], size_t count, const fmi2Real v[]) { EACH(count) PLANT->now.real[r[i]] = v[i]; return OK; }
Status fmi2GetInteger(Handle handle, const Reference r[], size_t count, fmi2Integer v[]) { EACH(count) v[i] = r[i] == COUNT ? PLANT->now.count : PLANT->now.n; return OK; }
Status fmi2SetInteger(Handle handle, const Reference r[], size_t count, const fmi2Integer v[]) { (void)r; EACH(count) PLANT->now.n = v[i]; return OK; }
Status fmi2GetBoolean(Handle handle, const Reference r[], size_t count, fmi2Boolean v[]) { EACH(count) v[i] = r[i] == ABOVE ? PLANT->now.real[X] > PLANT->now.real[LIMIT] : PLANT->now.flag; return OK; }
Status fmi2SetBoolean(Handle handle, const Reference r[], size_t count, const fmi2Boolean v[]) { (void)r; EACH(count) PLANT->now.flag = v[i]; return OK; }
Status fmi2GetString(Handle handle, const Reference r[], size_t count, fmi2String v[]) {
    snprintf(PLANT->now.label, sizeof PLANT->now.label, "%s", PLANT->now.real[X] > PLANT->now.real[LIMIT] ? "high, \"very\"" : "low");
    EACH(count) v[i] = r[i] == LABEL ? PLANT->now.label : PLANT->now.text;
    return OK;
}
Status fmi2SetString(Handle handle, const Reference r[], size_t count, const fmi2String v[]) { (void)r; EACH(count) snprintf(PLANT->now.text, sizeof PLANT->now.text, "%s", v[i]); return OK; }
Status fmi2GetFMUstate(Handle handle, fmi2FMUstate *state) { if (!*state) *state = malloc(sizeof(State)); memcpy(*state, &PLANT->now, sizeof(State)); return OK; }
Status fmi2SetFMUstate(Handle handle, fmi2FMUstate state) { memcpy(&PLANT->now, state, sizeof(State)); return OK; }
Status fmi2FreeFMUstate(Handle handle, fmi2FMUstate *state) { (void)handle; free(*state); *state = NULL; return OK; }
Status fmi2DoStep(Handle handle, fmi2Real time, fmi2Real size, fmi2Boolean final) { (void)final; return step(PLANT, time, size); }
Status fmi2GetBooleanStatus(Handle handle, const fmi2StatusKind kind, fmi2Boolean *value) { if (kind != fmi2Terminated) return DISCARD; *value = PLANT->now.ended; return OK; }
Status fmi2GetRealStatus(Handle handle, const fmi2StatusKind kind, fmi2Real *value) { if (kind != fmi2LastSuccessfulTime) return DISCARD; *value = PLANT->now.time; return OK; }
#else
fmi3Instance fmi3InstantiateCoSimulation(fmi3String name, fmi3String token, fmi3String resources, fmi3Boolean visible, fmi3Boolean logging, fmi3Boolean events, fmi3Boolean early, const Reference required[], size_t count, fmi3InstanceEnvironment environment, fmi3LogMessageCallback log, fmi3IntermediateUpdateCallback update) {
    (void)token; (void)resources; (void)visible; (void)logging; (void)events; (void)early; (void)required; (void)count; (void)update;
    Plant *plant = made(name);
    plant->environment = environment;
    plant->log = log;
    return plant;
}
void fmi3FreeInstance(Handle handle) { if (PLANT->now.real[CRASH_FREE] > 0) *nowhere = 1; free(handle); }
Status fmi3EnterInitializationMode(Handle handle, fmi3Boolean a, fmi3Float64 b, fmi3Float64 start, fmi3Boolean c, fmi3Float64 stop) {
    (void)a; (void)b; (void)c; (void)stop; PLANT->now.time = start; PLANT->now.real[X] = PLANT->now.real[X0]; return OK;
}
Status fmi3ExitInitializationMode(Handle handle) { (void)handle; return OK; }
Status fmi3Terminate(Handle handle) { (void)handle; return OK; }
Status fmi3GetFloat64(Handle handle, const Reference r[], size_t count, fmi3Float64 v[], size_t n) { (void)n; EACH(count) v[i] = read_real(PLANT, r[i]); return OK; }
Status fmi3SetFloat64(Handle handle, const Reference r[], size_t count, const fmi3Float64 v[], size_t n) { (void)n; EACH(count) PLANT->now.real[r[i]] = v[i]; return OK; }
Status fmi3GetInt32(Handle handle, const Reference r[], size_t count, fmi3Int32 v[], size_t n) { (void)n; EACH(count) v[i] = r[i] == COUNT ? PLANT->now.count : PLANT->now.n; return OK; }
Status fmi3SetInt32(Handle handle, const Reference r[], size_t count, const fmi3Int32 v[], size_t n) { (void)n; (void)r; EACH(count) PLANT->now.n = v[i]; return OK; }
Status fmi3GetBoolean(Handle handle, const Reference r[], size_t count, fmi3Boolean v[], size_t n) { (void)n; EACH(count) v[i] = r[i] == ABOVE ? PLANT->now.real[X] > PLANT->now.real[LIMIT] : PLANT->now.flag != 0; return OK; }
Status fmi3SetBoolean(Handle handle, const Reference r[], size_t count, const fmi3Boolean v[], size_t n) { (void)n; (void)r; EACH(count) PLANT->now.flag = v[i]; return OK; }
Status fmi3GetString(Handle handle, const Reference r[], size_t count, fmi3String v[], size_t n) {
    (void)n;
    snprintf(PLANT->now.label, sizeof PLANT->now.label, "%s", PLANT->now.real[X] > PLANT->now.real[LIMIT] ? "high, \"very\"" : "low");
    EACH(count) v[i] = r[i] == LABEL ? PLANT->now.label : PLANT->now.text;
    return OK;
}
Status fmi3SetString(Handle handle, const Reference r[], size_t count, const fmi3String v[], size_t n) { (void)n; (void)r; EACH(count) snprintf(PLANT->now.text, sizeof PLANT->now.text, "%s", v[i]); return OK; }
Status fmi3GetFMUState(Handle handle, fmi3FMUState *state) { if (!*state) *state = malloc(sizeof(State)); memcpy(*state, &PLANT->now, sizeof(State)); return OK; }
Status fmi3SetFMUState(Handle handle, fmi3FMUState state) { memcpy(&PLANT->now, state, sizeof(State)); return OK; }
Status fmi3FreeFMUState(Handle handle, fmi3FMUState *state) { (void)handle; free(*state); *state = NULL; return OK; }
Status fmi3DoStep(Handle handle, fmi3Float64 time, fmi3Float64 size, fmi3Boolean final, fmi3Boolean *event, fmi3Boolean *end, fmi3Boolean *early, fmi3Float64 *last) {
    (void)final;
    Status status = step(PLANT, time, size);
    *event = *early = 0;
    *end = PLANT->now.ended;
    *last = PLANT->now.time;
    return status;
}
#endif
