package org.tokentune.adapters;

import static org.tokentune.Arguments.required;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.nn.internal.DropoutPlaces;
import org.tokentune.nn.internal.Graph;
import org.tokentune.nn.internal.TokenStream;
import org.tokentune.ops.Residual;

/**
 * A model with low-rank adapters on some of its linear layers: {@code y = x W^T + b + scale * (x
 * A^T) B^T} with A [r, in] and B [out, r], however W is stored (LoRA: Hu et al., 2021). In
 * training, dropout is applied to x before A.
 *
 * <p>W and b are constants, so nothing is stored for their gradients; the gradient of A needs x,
 * that of B only {@code x A^T}, [n, r]. The frozen stream computes the same with A and B as
 * constants.
 *
 * <p>With DoRA (Liu et al., 2024) the update also scales the layer's outputs: {@code y = m / n * (x
 * W^T + scale * (x A^T) B^T) + b} with trained lengths m [out] and n [out] the lengths of the rows
 * of {@code W + scale * B A}, through which no gradient flows (section 4.3). Where dropout is
 * active it is applied as in PEFT, also to the x of {@code (m / n - 1) * x W^T}.
 *
 * <p>Its parameters are the base's and, for each adapted layer, {@code <layer>.lora_A.weight} and
 * {@code <layer>.lora_B.weight}, and with DoRA {@code <layer>.lora_magnitude_vector}.
 */
public final class LoraModel implements TransformerModel {

  static final String A = ".lora_A.weight";
  static final String B = ".lora_B.weight";

  /** DoRA's trained lengths, PEFT's name. */
  static final String MAGNITUDE = ".lora_magnitude_vector";

  static final String WEIGHT = ".weight";
  private static final String BIAS = ".bias";

  private final TransformerModel base;
  private final LoraConfig config;
  private final Map<String, NetworkLayer> layers;

  /** Widths of a linear layer. */
  private record NetworkLayer(long in, long out) {}

  /**
   * @throws BadInputException if a target matches no linear layer
   */
  public LoraModel(TransformerModel base, LoraConfig config) {
    required(base, "base");
    required(config, "config");

    this.base = base;
    this.config = config;
    Map<String, NetworkLayer> linear = linear(base, config);
    config.targets().forEach(target -> check(target, linear));
    layers = new LinkedHashMap<>();
    linear.forEach(
        (name, layer) -> {
          if (config.targets().stream().anyMatch(target -> adapts(target, name))) {
            layers.put(name, layer);
          }
        });
  }

  /** Names of layers that can be adapted: all linear layers except heads over the vocabulary. */
  static Set<String> linear(TransformerModel base) {
    Set<String> layers = new LinkedHashSet<>();
    base.parameters()
        .forEach(
            (name, shape) -> {
              boolean matrix = name.endsWith(WEIGHT) && shape.length == 2;
              if (matrix && !base.isEmbedding(name) && !name.equals(base.headTable())) {
                layers.add(module(name));
              }
            });
    return layers;
  }

  /** The adaptable layers that are not fully trained. */
  private static Map<String, NetworkLayer> linear(TransformerModel base, LoraConfig config) {
    Map<String, long[]> shapes = base.parameters();
    Map<String, NetworkLayer> layers = new LinkedHashMap<>();
    for (String name : linear(base)) {
      if (!config.trainsWhole(name + WEIGHT)) {
        long[] shape = shapes.get(name + WEIGHT);
        layers.put(
            name,
            new NetworkLayer(shape[base.inputFirst() ? 0 : 1], shape[base.inputFirst() ? 1 : 0]));
      }
    }
    return layers;
  }

  private boolean adapts(String target, String layer) {
    return target.equals(LoraConfig.ALL_LINEAR)
        ? !base.isHead(layer + WEIGHT)
        : LoraConfig.matches(target, layer);
  }

  private void check(String target, Map<String, NetworkLayer> linear) {
    if (linear.keySet().stream().noneMatch(layer -> adapts(target, layer))) {
      throw new BadSettingsException(
          "No linear layer that can be adapted is called %s; the layers are %s.",
          target,
          linear.keySet().stream()
              .map(name -> name.replaceAll("\\.\\d+\\.", ".*."))
              .distinct()
              .collect(Collectors.joining(", ")));
    }
  }

  /**
   * Rejects ranks above a layer's smaller width, whose update any smaller rank gives as well.
   * Adapters from files may have them.
   */
  void checkRanks() {
    layers.forEach(
        (name, layer) -> {
          int rank = config.size(name).rank();
          long most = Math.min(layer.in(), layer.out());
          if (rank > most) {
            throw BadSettingsException.of(
                "rank",
                "must be at most %d for %s, which has %d inputs and %d outputs, got %d.",
                most,
                name,
                layer.in(),
                layer.out(),
                rank);
          }
        });
  }

  private static String module(String weight) {
    return weight.substring(0, weight.length() - WEIGHT.length());
  }

  /** The model without adapters. */
  public TransformerModel base() {
    return base;
  }

  /** The adapters' configuration. */
  public LoraConfig lora() {
    return config;
  }

  /** Names of the adapted layers, in the model's order. */
  public List<String> layers() {
    return List.copyOf(layers.keySet());
  }

  /** Whether a parameter is trained: an adapter matrix, or one that the configuration adds. */
  public boolean trains(String name) {
    required(name, "name");

    if (name.endsWith(A) || name.endsWith(B)) {
      return name.endsWith(B) || !config.frozenA();
    }
    return name.endsWith(MAGNITUDE) || trainsOfBase(name);
  }

  /** Whether a parameter of the base is trained. */
  boolean trainsOfBase(String name) {
    boolean biased =
        name.endsWith(BIAS)
            && switch (config.bias()) {
              case NONE -> false;
              case ALL -> true;
              case LORA_ONLY ->
                  layers.containsKey(name.substring(0, name.length() - BIAS.length()));
            };
    return biased || config.trainsWhole(name);
  }

  @Override
  public ModelConfig config() {
    return base.config();
  }

  @Override
  public Head head() {
    return base.head();
  }

  @Override
  public Map<String, long[]> parameters() {
    Map<String, long[]> shapes = new LinkedHashMap<>(base.parameters());
    shapes.putAll(adapterShapes());
    return shapes;
  }

  /** Shapes of the adapters' own parameters. */
  Map<String, long[]> adapterShapes() {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    layers.forEach(
        (name, layer) -> {
          int rank = config.size(name).rank();
          shapes.put(name + A, new long[] {rank, layer.in()});
          shapes.put(name + B, new long[] {layer.out(), rank});
          if (config.dora()) {
            shapes.put(name + MAGNITUDE, new long[] {layer.out()});
          }
        });
    return shapes;
  }

  @Override
  public String prefix() {
    return base.prefix();
  }

  @Override
  public boolean isHead(String name) {
    return base.isHead(name);
  }

  @Override
  public boolean isEmbedding(String name) {
    return base.isEmbedding(name);
  }

  @Override
  public String wordTable() {
    return base.wordTable();
  }

  @Override
  public String headTable() {
    return base.headTable();
  }

  @Override
  public boolean inputFirst() {
    return base.inputFirst();
  }

  @Override
  public TransformerModel withoutDropout() {
    return new LoraModel(base.withoutDropout(), config.withDropout(0));
  }

  @Override
  public ModelGraph build(Parameters parameters, GraphOptions options) {
    return base.build(parameters, options.withAdapter(this::adapt));
  }

  private TokenStream adapt(Graph graph, String weight, TokenStream x, TokenStream y) {
    String layer = weight.endsWith(WEIGHT) ? module(weight) : weight;
    if (!layers.containsKey(layer)) {
      return y;
    }
    SameDiff sd = graph.sd();
    SDVariable a = graph.parameter(layer + A, x.differentiable());
    SDVariable b = graph.parameter(layer + B, x.differentiable());
    TokenStream dropped = graph.dropout(x, config.dropout(), layer + DropoutPlaces.LORA);
    SDVariable inner = sd.mmul(dropped.rows(), a, false, true, false).mul(config.scale(layer));
    SDVariable update = sd.mmul(inner, b, false, true, false);
    if (config.dora()) {
      return y.with(decomposed(graph, layer, x, dropped, y.rows(), update));
    }
    return y.with(Residual.apply(y.rows(), update, graph.kernelMode()));
  }

  /** DoRA's output; {@code y} and {@code update} are [n, out]. */
  private SDVariable decomposed(
      Graph graph,
      String layer,
      TokenStream x,
      TokenStream dropped,
      SDVariable y,
      SDVariable update) {
    SameDiff sd = graph.sd();
    SDVariable magnitude = graph.parameter(layer + MAGNITUDE, x.differentiable());
    SDVariable factor = magnitude.div(lengths(graph, layer)).reshape(1, layers.get(layer).out());
    if (!dropped
        .rows()
        .name()
        .equals(x.rows().name())) { // as in PEFT: the dropped x scales, the whole x passes through
      SDVariable weight = graph.parameter(layer + WEIGHT, x.differentiable());
      SDVariable product = sd.mmul(dropped.rows(), weight, false, !base.inputFirst(), false);
      return y.add(product.add(update).mul(factor)).sub(product);
    }
    if (!base.parameters().containsKey(layer + BIAS)) {
      return y.add(update).mul(factor);
    }
    SDVariable bias = graph.parameter(layer + BIAS, x.differentiable());
    bias = bias.reshape(1, layers.get(layer).out());
    return y.sub(bias).add(update).mul(factor).add(bias);
  }

  /**
   * Lengths of the rows of {@code W + scale * B A}, [out], of constants. Their squares are {@code
   * |w|^2 + 2 scale b . A w + scale^2 b . A A^T b}, which takes no matrix of W's size.
   */
  private SDVariable lengths(Graph graph, String layer) {
    SameDiff sd = graph.sd();
    String name = layer + ".lengths";
    if (sd.hasVariable(name)) {
      return sd.getVariable(name); // both streams have the same
    }
    SDVariable weight = graph.parameter(layer + WEIGHT, false);
    SDVariable a = graph.parameter(layer + A, false);
    SDVariable b = graph.parameter(layer + B, false).mul(config.scale(layer));
    boolean inputFirst = base.inputFirst();
    SDVariable squares = sd.math().square(weight).sum(inputFirst ? 0 : 1);
    SDVariable mixed = sd.mmul(weight, a, inputFirst, true, false).mul(2);
    SDVariable own = sd.mmul(b, sd.mmul(a, a, false, true, false));
    return sd.math().sqrt(squares.add(mixed.add(own).mul(b).sum(1))).rename(name);
  }
}
