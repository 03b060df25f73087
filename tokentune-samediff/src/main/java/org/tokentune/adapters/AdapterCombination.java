package org.tokentune.adapters;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadSettingsException;

/**
 * Several adapters on one base as one. Source: {@code add_weighted_adapter} of PEFT 0.21.2, except
 * that the scales of rank-stabilised adapters are not applied twice, and that fully trained
 * parameters come along.
 */
final class AdapterCombination {

  private final List<Adapter> adapters;
  private final List<Double> weights;

  AdapterCombination(List<Adapter> adapters, List<Double> weights) {
    if (adapters.isEmpty() || adapters.size() != weights.size()) {
      throw new BadSettingsException(
          "There are %d adapters and %d weights; give as many of both, and at least one.",
          adapters.size(), weights.size());
    }
    for (double weight : weights) {
      if (!Double.isFinite(weight)) {
        throw new BadSettingsException(
            "The weight of an adapter must be a number, got %s.", weight);
      }
    }
    for (Adapter adapter : adapters) {
      if (adapter.model().lora().dora()) {
        throw new BadSettingsException(
            "Adapters with DoRA cannot be combined, as they scale the whole weight; merge one into"
                + " the model, or leave it out.");
      }
      String head = adapter.model().base().headTable();
      if (!head.equals(adapters.get(0).model().base().headTable())) {
        throw new BadSettingsException(
            "One of the adapters fully trains a head that the others share with the token"
                + " embeddings, so they cannot be combined; leave it out.");
      }
    }
    this.adapters = List.copyOf(adapters);
    this.weights = List.copyOf(weights);
  }

  Adapter combined(Adapter.Combination combination) {
    Map<String, INDArray> values = new LinkedHashMap<>();
    Map<String, LoraConfig.Size> sizes = new TreeMap<>();
    for (String layer : layers()) {
      List<Integer> parts =
          IntStream.range(0, adapters.size())
              .filter(i -> adapters.get(i).model().layers().contains(layer))
              .boxed()
              .toList();
      INDArray a =
          combination == Adapter.Combination.CAT
              ? Nd4j.concat(0, arrays(parts, layer, LoraModel.A, true))
              : sum(parts, layer, LoraModel.A);
      INDArray b =
          combination == Adapter.Combination.CAT
              ? Nd4j.concat(1, arrays(parts, layer, LoraModel.B, false))
              : sum(parts, layer, LoraModel.B);
      values.put(layer + LoraModel.A, a.dup('c'));
      values.put(layer + LoraModel.B, b.dup('c'));
      int rank = Math.toIntExact(a.size(0));
      sizes.put(layer, new LoraConfig.Size(rank, rank)); // a scale of 1
    }
    Map<String, INDArray> own = own();
    values.putAll(own);
    Adapter first = adapters.get(0);
    LoraModel model = new LoraModel(first.model().base(), config(sizes));
    return Adapter.of(model, first.sharedParameters(own), values);
  }

  /** Layers that any of them adapts, in the model's order. */
  private Set<String> layers() {
    Set<String> layers = new LinkedHashSet<>(LoraModel.linear(adapters.get(0).model().base()));
    layers.removeIf(
        layer -> adapters.stream().noneMatch(one -> one.model().layers().contains(layer)));
    return layers;
  }

  private double weight(int number, String layer) {
    return weights.get(number) * adapters.get(number).model().lora().scale(layer);
  }

  private INDArray[] arrays(List<Integer> parts, String layer, String matrix, boolean weighted) {
    return parts.stream()
        .map(
            i -> {
              INDArray array = adapters.get(i).parameters().get(layer + matrix);
              return weighted ? array.mul(weight(i, layer)) : array;
            })
        .toArray(INDArray[]::new);
  }

  /** The square root of a weight goes to either matrix, its sign to A. */
  private INDArray sum(List<Integer> parts, String layer, String matrix) {
    INDArray sum = null;
    for (int i : parts) {
      INDArray array = adapters.get(i).parameters().get(layer + matrix);
      double weight = weight(i, layer);
      double root = Math.sqrt(Math.abs(weight));
      INDArray part = array.mul(matrix.equals(LoraModel.A) && weight < 0 ? -root : root);
      if (sum != null && !sum.equalShapes(part)) {
        throw new BadSettingsException(
            "Adapters of different ranks cannot be combined as linear (%s has %d and %d); combine"
                + " them as cat.",
            layer, Math.min(sum.size(0), sum.size(1)), Math.min(part.size(0), part.size(1)));
      }
      sum = sum == null ? part : sum.addi(part);
    }
    return sum;
  }

  /** Fully trained parameters of all. */
  private Map<String, INDArray> own() {
    Map<String, INDArray> own = new LinkedHashMap<>();
    for (Adapter adapter : adapters) {
      adapter
          .ownOfBase()
          .forEach(
              (name, array) -> {
                if (own.put(name, array) != null) {
                  throw new BadSettingsException(
                      "Several of the adapters fully train %s, which cannot be combined; leave all"
                          + " but one of them out.",
                      name);
                }
              });
    }
    return own;
  }

  private LoraConfig config(Map<String, LoraConfig.Size> sizes) {
    int rank = sizes.values().stream().mapToInt(LoraConfig.Size::rank).max().orElseThrow();
    sizes.values().removeIf(size -> size.rank() == rank);
    Set<String> trained = new LinkedHashSet<>();
    LoraConfig.Bias bias = LoraConfig.Bias.NONE;
    for (Adapter adapter : adapters) {
      LoraConfig lora = adapter.model().lora();
      trained.addAll(lora.trained());
      bias = lora.bias() == LoraConfig.Bias.NONE ? bias : lora.bias();
    }
    return new LoraConfig(
        rank,
        rank,
        0,
        false,
        false,
        bias,
        new ArrayList<>(layers()),
        new ArrayList<>(trained),
        sizes);
  }
}
