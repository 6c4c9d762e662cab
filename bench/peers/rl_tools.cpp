// A Double DQN with Adam over the network operations of rl_tools, which has no DQN of its own; one compilation an
// architecture, whose sizes are template arguments. `rl_tools.py` compiles this, and defines all names in capitals.

#include <rl_tools/operations/cpu_mux.h>

#include <rl_tools/nn/optimizers/adam/instance/operations_generic.h>
#include <rl_tools/nn/operations_cpu_mux.h>
#include <rl_tools/nn_models/mlp/operations_generic.h>
#include <rl_tools/nn/optimizers/adam/operations_generic.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

extern "C" void scipy_openblas_set_num_threads(int);

namespace rlt = rl_tools;

namespace {

using Device = rlt::devices::DEVICE_FACTORY<>;
static_assert(Device::DEVICE_ID == rlt::devices::DeviceId::CPU_OPENBLAS, "the generic back end is ten times slower");
using T = float;
using TI = typename Device::index_t;
using Types = rlt::numeric_types::Policy<T>;

constexpr TI OBSERVATION = 3, ACTIONS = 3;

using Config = rlt::nn_models::mlp::Configuration<Types, TI, ACTIONS, DEPTH + 1, WIDTH,
    rlt::nn::activation_functions::ActivationFunction::ACTIVATION,
    rlt::nn::activation_functions::ActivationFunction::IDENTITY>;
using Shape = rlt::tensor::Shape<TI, 1, BATCH, OBSERVATION>;
using Online = rlt::nn_models::mlp::NeuralNetwork<Config,
    rlt::nn::capability::Gradient<rlt::nn::parameters::Adam>, Shape>;
using Target = rlt::nn_models::mlp::NeuralNetwork<Config, rlt::nn::capability::Forward<>, Shape>;

struct AdamParameters : rlt::nn::optimizers::adam::DEFAULT_PARAMETERS_PYTORCH<Types> {
    static constexpr T ALPHA = ADAM_LEARNING_RATE;
    static constexpr T BETA_1 = ADAM_BETA_1;
    static constexpr T BETA_2 = ADAM_BETA_2;
    static constexpr T EPSILON = ADAM_EPSILON;
    static constexpr T EPSILON_SQRT = 0;  // a floor under the second moment, which the paper's Adam has not
    static constexpr bool ENABLE_GRADIENT_CLIPPING = true;
    static constexpr T GRADIENT_CLIP_VALUE = CLIP;
};
using Adam = rlt::nn::optimizers::Adam<rlt::nn::optimizers::adam::Specification<Types, TI, AdamParameters>>;

template <TI ROWS, TI COLS> using Rows = rlt::Matrix<rlt::matrix::Specification<T, TI, ROWS, COLS>>;

// SplitMix64: a draw takes a nanosecond.
struct Random {
    using Engine = std::uint64_t;
    std::uint64_t state;

    std::uint64_t bits()
    {
        std::uint64_t z = (state += 0x9e3779b97f4a7c15);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
    TI below(TI n) { return static_cast<TI>(((bits() >> 32) * n) >> 32); }
};

// Subnormal numbers become zero while it lives, as in a program that is linked with -ffast-math.
struct FlushToZero {
#if defined(__SSE2__)
    unsigned before = _mm_getcsr();
    FlushToZero() { _mm_setcsr(before | 0x8040); }
    ~FlushToZero() { _mm_setcsr(before); }
#endif
};

struct Transition {
    T observation[OBSERVATION], next_observation[OBSERVATION], reward, discount;
    TI action;
};

struct Training {
    Device device;
    Random random;
    Online online;
    Target target;
    Adam adam;
    typename Online::template Buffer<> buffer;
    Rows<BATCH, OBSERVATION> observations, next_observations;
    Rows<BATCH, ACTIONS> q, q_next, q_next_target, error;
    Rows<1, OBSERVATION> seen;
    Rows<1, ACTIONS> q_seen;
    Transition memory[CAPACITY];
    TI actions[BATCH];
    T targets[BATCH], rewards[BATCH], discounts[BATCH];
    TI next_slot = 0, updates = 0, length = 0;
    double theta, omega, earned = 0;
};

template <typename F> void all(Training &t, F &&f)
{
    f(t.observations), f(t.next_observations), f(t.q), f(t.q_next), f(t.q_next_target), f(t.error), f(t.seen);
    f(t.q_seen), f(t.online), f(t.target), f(t.adam), f(t.buffer);
}

// A layer's weights are (in, out) outside and (out, in) here.
template <typename Layer, typename F> void each(Layer &layer, T *&outside, F &&f)
{
    constexpr TI IN = Layer::SPEC::INPUT_DIM, OUT = Layer::SPEC::OUTPUT_DIM;
    for (TI i = 0; i < IN; i++)
        for (TI o = 0; o < OUT; o++)
            f(*outside++, layer.weights, o, i);
    for (TI o = 0; o < OUT; o++)
        f(*outside++, layer.biases, o);
}

template <typename Network, typename F> void each_parameter(Network &network, T *outside, F &&f)
{
    each(network.input_layer, outside, f);
    for (auto &layer : network.hidden_layers)
        each(layer, outside, f);
    each(network.output_layer, outside, f);
}

void set_parameters(Training &t, const T *parameters)
{
    each_parameter(t.online, const_cast<T *>(parameters), [&](T &outside, auto &own, auto... at) {
        rlt::set(t.device, own.parameters, outside, at...);
    });
}

// Mean Huber loss over the first n rows of the minibatch, from their targets; the gradient is left in the network.
T backward(Training &t, TI n)
{
    rlt::forward(t.device, t.online, t.observations, t.q, t.buffer, t.random.state);
    rlt::set_all(t.device, t.error, 0);
    T loss = 0;
    for (TI i = 0; i < n; i++) {
        const T error = rlt::get(t.q, i, t.actions[i]) - t.targets[i];
        const T clipped = std::min(std::max(error, T(-1)), T(1));
        loss += clipped * (error - clipped / 2);
        rlt::set(t.error, i, t.actions[i], clipped / n);
    }
    rlt::zero_gradient(t.device, t.online);
    rlt::backward(t.device, t.online, t.observations, t.error, t.buffer);
    return loss / n;
}

template <typename Q> TI best(const Q &q, TI row)
{
    TI found = 0;
    for (TI a = 1; a < ACTIONS; a++)
        if (rlt::get(q, row, a) > rlt::get(q, row, found))
            found = a;
    return found;
}

void observe(double theta, double omega, T *observation)
{
    observation[0] = std::cos(theta), observation[1] = std::sin(theta), observation[2] = omega;
}

void start(Training &t)
{
    t.theta = START * (2 * t.random.uniform() - 1), t.omega = START * (2 * t.random.uniform() - 1);
    t.length = 0, t.earned = 0;
}

double act(Training &t)
{
    Transition &now = t.memory[t.next_slot];
    observe(t.theta, t.omega, now.observation);
    if (t.random.uniform() < EXPLORATION) {
        now.action = t.random.below(ACTIONS);
    } else {
        for (TI i = 0; i < OBSERVATION; i++)
            rlt::set(t.seen, 0, i, now.observation[i]);
        rlt::evaluate(t.device, t.online, t.seen, t.q_seen, t.buffer, t.random.state);
        now.action = best(t.q_seen, 0);
    }
    const double torque = (static_cast<double>(now.action) - 1) * MAX_TORQUE;
    const double reward = std::cos(t.theta) - TORQUE_COST * torque * torque;
    t.omega += (GRAVITY * std::sin(t.theta) + torque) * DT;
    t.omega = std::min(std::max(t.omega, -MAX_OMEGA), MAX_OMEGA);
    t.theta += t.omega * DT;
    if (t.theta > M_PI)
        t.theta -= 2 * M_PI;
    else if (t.theta <= -M_PI)
        t.theta += 2 * M_PI;
    observe(t.theta, t.omega, now.next_observation);
    now.reward = reward;
    now.discount = ++t.length < HORIZON ? GAMMA : 0;
    t.next_slot = (t.next_slot + 1) % CAPACITY;
    return reward;
}

void learn(Training &t)
{
    for (TI i = 0; i < BATCH; i++) {
        const Transition &drawn = t.memory[t.random.below(CAPACITY)];
        for (TI j = 0; j < OBSERVATION; j++) {
            rlt::set(t.observations, i, j, drawn.observation[j]);
            rlt::set(t.next_observations, i, j, drawn.next_observation[j]);
        }
        t.actions[i] = drawn.action, t.rewards[i] = drawn.reward, t.discounts[i] = drawn.discount;
    }
    rlt::evaluate(t.device, t.online, t.next_observations, t.q_next, t.buffer, t.random.state);
    rlt::evaluate(t.device, t.target, t.next_observations, t.q_next_target, t.buffer, t.random.state);
    for (TI i = 0; i < BATCH; i++)
        t.targets[i] = t.rewards[i] + t.discounts[i] * rlt::get(t.q_next_target, i, best(t.q_next, i));
    backward(t, BATCH);
    rlt::step(t.device, t.adam, t.online);
    if (++t.updates % TARGET_EVERY == 0)
        rlt::copy(t.device, t.device, t.online, t.target);
}

}  // namespace

extern "C" {

// The memory as CAPACITY rows of s (3), s' (3), reward, discount, action.
Training *peer_new(const T *parameters, const T *memory, std::uint64_t seed)
{
    scipy_openblas_set_num_threads(1);
    auto *t = new Training;
    t->random.state = seed;
    all(*t, [&](auto &part) { rlt::malloc(t->device, part); });
    set_parameters(*t, parameters);
    rlt::reset_forward_state(t->device, t->online);
    rlt::reset_optimizer_state(t->device, t->adam, t->online);
    rlt::copy(t->device, t->device, t->online, t->target);
    for (TI i = 0; i < CAPACITY; i++, memory += 9) {
        std::memcpy(t->memory[i].observation, memory, 3 * sizeof(T));
        std::memcpy(t->memory[i].next_observation, memory + 3, 3 * sizeof(T));
        t->memory[i].reward = memory[6], t->memory[i].discount = memory[7], t->memory[i].action = memory[8];
    }
    start(*t);
    return t;
}

void peer_delete(Training *t)
{
    all(*t, [&](auto &part) { rlt::free(t->device, part); });
    delete t;
}

// Writes the returns of the episodes that end, and gives their number.
std::int64_t peer_run(Training *t, std::int64_t steps, double *returns)
{
    FlushToZero flush;
    std::int64_t ended = 0;
    for (std::int64_t i = 0; i < steps; i++) {
        t->earned += act(*t);
        if (t->length == HORIZON) {
            returns[ended++] = t->earned;
            start(*t);
        }
        learn(*t);
    }
    return ended;
}

// Of n <= BATCH rows; the others are there, but have no error.
T peer_loss_and_gradient(Training *t, const T *parameters, std::int64_t n, const T *observations,
                         const std::int64_t *actions, const T *targets, T *gradient)
{
    set_parameters(*t, parameters);
    rlt::set_all(t->device, t->observations, 0);
    for (TI i = 0; i < static_cast<TI>(n); i++) {
        for (TI j = 0; j < OBSERVATION; j++)
            rlt::set(t->observations, i, j, observations[i * OBSERVATION + j]);
        t->actions[i] = actions[i], t->targets[i] = targets[i];
    }
    const T loss = backward(*t, n);
    each_parameter(t->online, gradient, [&](T &outside, auto &own, auto... at) {
        outside = rlt::get(t->device, own.gradient, at...);
    });
    return loss;
}

// Adam's steps along n gradients from the parameters, which become what they lead to.
void peer_take_steps(Training *t, T *parameters, std::int64_t n, const T *gradients)
{
    set_parameters(*t, parameters);
    rlt::reset_optimizer_state(t->device, t->adam, t->online);
    for (std::int64_t i = 0; i < n; i++) {
        T *gradient = const_cast<T *>(gradients) + i * Online::NUM_WEIGHTS;
        each_parameter(t->online, gradient, [&](T &outside, auto &own, auto... at) {
            rlt::set(t->device, own.gradient, outside, at...);
        });
        rlt::step(t->device, t->adam, t->online);
    }
    each_parameter(t->online, parameters, [&](T &outside, auto &own, auto... at) {
        outside = rlt::get(t->device, own.parameters, at...);
    });
}

}
