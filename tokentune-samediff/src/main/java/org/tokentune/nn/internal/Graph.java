package org.tokentune.nn.internal;

import java.util.function.Predicate;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.array.SingleThreadArrayHolder;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadSettingsException;
import org.tokentune.nn.Parameters;
import org.tokentune.ops.BlockWeight;
import org.tokentune.ops.Dropout;
import org.tokentune.ops.KernelMode;
import org.tokentune.ops.QuantizedWeight;
import org.tokentune.ops.Table;
import org.tokentune.ops.TiledAttention;

/**
 * A SameDiff graph under construction: provides parameters and dropout to layers.
 *
 * <p>A trainable parameter is a SameDiff variable for the selected stream and, for the frozen one,
 * a constant over the same array, so that no gradient reaches a weight through frozen tokens and
 * none of their activations are stored. Frozen parameters are constants in both streams.
 */
public final class Graph {

  /** INT32 scalar placeholder: a different seed for every step. Only in graphs with dropout. */
  public static final String DROPOUT_SEED = "dropout_seed";

  private static final String FROZEN = "#frozen";

  private final SameDiff sd = create();
  private final Parameters parameters;
  private final Predicate<String> trainable;
  private final boolean dropout;
  private final KernelMode kernelMode;
  private final LinearAdapter adapter;
  private KeyValueCache cache;

  /**
   * @param trainable which parameters are variables, by name
   * @param dropout whether {@link #dropout} is active
   * @param kernelMode kind of ops
   * @param adapter adapter of the linear layers
   */
  public Graph(
      Parameters parameters,
      Predicate<String> trainable,
      boolean dropout,
      KernelMode kernelMode,
      LinearAdapter adapter) {
    this.parameters = parameters;
    this.trainable = trainable;
    this.dropout = dropout;
    this.kernelMode = kernelMode;
    this.adapter = adapter;
  }

  /**
   * A graph with array holders that share arrays: the default ones copy each array for other
   * devices.
   */
  private static SameDiff create() {
    SameDiff sd = SameDiff.create();
    sd.setArrayHolders(new SingleThreadArrayHolder(), new SingleThreadArrayHolder(), false);
    return sd;
  }

  public SameDiff sd() {
    return sd;
  }

  public KernelMode kernelMode() {
    return kernelMode;
  }

  LinearAdapter adapter() {
    return adapter;
  }

  /** Makes attention read keys and values of earlier tokens from a cache. */
  public void setCache(KeyValueCache cache) {
    this.cache = cache;
  }

  /** The cache; null if the graph processes whole sequences. */
  KeyValueCache cache() {
    return cache;
  }

  /** A parameter, as a variable if gradients should reach it, otherwise as a constant. */
  public SDVariable parameter(String name, boolean differentiable) {
    boolean trained = trainable.test(name);
    String key = trained && !differentiable ? name + FROZEN : name;
    if (sd.hasVariable(key)) {
      return sd.getVariable(key);
    }
    QuantizedWeight quantized = parameters.quantized(name);
    if (quantized != null) {
      if (trained) {
        throw new BadSettingsException(
            "%s is quantised and cannot be trained; train adapters, or load it as float32.", name);
      }
      return quantized.dequantized(sd, name, kernelMode);
    }
    INDArray array = parameters.get(name);
    return trained && differentiable ? sd.var(key, array) : constant(key, array);
  }

  /** A constant that shares the array: SameDiff's own method would copy a view. */
  private SDVariable constant(String name, INDArray array) {
    SDVariable constant = sd.constant(name, array);
    sd.associateArrayWithVariable(array, constant);
    return constant;
  }

  /** A table to gather rows from, likewise; it may be quantised by rows. */
  public Table table(String name, boolean differentiable) {
    return parameters.quantized(name) instanceof BlockWeight weight
        ? Table.of(weight, weight.stored(sd, name))
        : Table.of(parameter(name, differentiable));
  }

  /** Shape of a parameter. */
  long[] shape(String name) {
    return parameters.shape(name);
  }

  /** Applies dropout to a stream's rows; {@code place} identifies the place in the model. */
  public TokenStream dropout(TokenStream stream, double rate, String place) {
    if (!dropout || rate == 0) {
      return stream;
    }
    SDVariable columns = numbers(stream.width()).reshape(1, -1);
    SDVariable rowNumbers = stream.rowIds().reshape(-1, 1);
    return stream.with(dropout(stream.rows(), rate, place, rowNumbers, columns));
  }

  /**
   * Applies dropout to any array. {@code rowNumbers} and {@code columnNumbers}, INT32, are the
   * elements' coordinates; their shapes broadcast to that of {@code x}.
   */
  public SDVariable dropout(
      SDVariable x, double rate, String place, SDVariable rowNumbers, SDVariable columnNumbers) {
    if (!dropout || rate == 0) {
      return x;
    }
    return Dropout.apply(
        x, rate, rowNumbers, columnNumbers, dropoutSeed(), place.hashCode(), kernelMode);
  }

  private SDVariable dropoutSeed() {
    return sd.hasVariable(DROPOUT_SEED)
        ? sd.getVariable(DROPOUT_SEED)
        : sd.placeHolder(DROPOUT_SEED, DataType.INT32);
  }

  /** Dropout inside attention, with the same mask as {@link #dropout}; null if there is none. */
  TiledAttention.WeightDropout weightDropout(
      double rate, String place, SDVariable rowNumbers, SDVariable columnNumbers) {
    return !dropout || rate == 0
        ? null
        : new TiledAttention.WeightDropout(
            rowNumbers, columnNumbers, dropoutSeed(), rate, place.hashCode());
  }

  /** 0, 1, ..., count - 1 as INT32. */
  public SDVariable numbers(long count) {
    String name = "numbers." + count;
    return sd.hasVariable(name)
        ? sd.getVariable(name)
        : sd.constant(name, Nd4j.arange((double) count).castTo(DataType.INT32));
  }
}
