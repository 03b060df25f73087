package org.tokentune.spark;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadSettingsException;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.adapters.LoraModel;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.Pooling;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.LossSettings;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;
import org.tokentune.ops.KernelMode;
import org.tokentune.ops.QuantizedWeight;
import org.tokentune.train.BatchGradients;
import org.tokentune.train.MemorySettings;

/**
 * A model on its way to the executors, sent once in a run: its description and its frozen weights.
 * The values of what trains are sent with every step.
 *
 * @param run identifies the run
 * @param task the name of its objective
 * @param lora its adapters; null for none
 * @param arrays all parameters but quantised ones, in the model's order
 * @param quantized frozen weights in few bits
 * @param updates that tasks make; null: the driver makes them
 * @param precision in which gradients travel
 * @param kernels the kernel mode of the driver
 */
record ModelCopy(
    String run,
    ModelConfig config,
    String task,
    int outputs,
    Pooling pooling,
    LoraConfig lora,
    List<Parameter> arrays,
    Map<String, SentWeight> quantized,
    MemorySettings memory,
    LossSettings loss,
    LocalUpdates updates,
    GradientPrecision precision,
    KernelMode kernels)
    implements Serializable {

  /**
   * A parameter.
   *
   * @param values null if it trains
   */
  record Parameter(String name, DataType type, long[] shape, byte[] values)
      implements Serializable {}

  /**
   * @param updates that tasks make; null: the driver makes them
   * @throws BadSettingsException if the model cannot be made from its description elsewhere
   */
  static ModelCopy of(
      String run,
      TransformerModel model,
      Parameters parameters,
      List<String> trained,
      MemorySettings memory,
      LossSettings loss,
      LocalUpdates updates,
      GradientPrecision precision) {
    Objective task = model.head().task();
    if (!Objectives.TASKS.contains(task) || task == Objectives.EMBED) {
      throw new BadSettingsException(
          "Models are not trained on Spark for %s yet; train this one on one machine.",
          task.shortName());
    }
    Set<String> trains = new HashSet<>(trained);
    List<Parameter> arrays = new ArrayList<>();
    parameters
        .asMap()
        .forEach(
            (name, array) ->
                arrays.add(
                    new Parameter(
                        name,
                        array.dataType(),
                        array.shape(),
                        trains.contains(name) ? null : SentArray.of(array).bytes())));
    Map<String, SentWeight> quantized = new LinkedHashMap<>();
    for (String name : parameters.names()) {
      QuantizedWeight weight = parameters.quantized(name);
      if (weight != null) {
        quantized.put(name, SentWeight.of(weight));
      }
    }
    ModelCopy copy =
        new ModelCopy(
            run,
            model.config(),
            task.toString(),
            model.head().outputs(),
            model.head().pooling(),
            model instanceof LoraModel adapted ? adapted.lora() : null,
            arrays,
            quantized,
            memory,
            loss,
            updates,
            precision,
            KernelMode.preferred());
    if (!copy.model().parameters().keySet().equals(model.parameters().keySet())) {
      throw new BadSettingsException(
          "This model is not one that its configuration describes, and executors could not make it;"
              + " train it on one machine.");
    }
    return copy;
  }

  /** The objective that travels by its name. */
  static Objective objective(String name) {
    return Objectives.TASKS.stream()
        .filter(one -> one.toString().equals(name))
        .findFirst()
        .orElseThrow();
  }

  /** The model, from its description. */
  TransformerModel model() {
    TransformerModel base = config.model(new Head(objective(task), outputs, pooling));
    return lora == null ? base : new LoraModel(base, lora);
  }

  /** New parameters; those that train have no values yet. */
  Parameters parameters() {
    Map<String, INDArray> made = new LinkedHashMap<>();
    for (Parameter one : arrays) {
      made.put(
          one.name(),
          one.values() == null
              ? SentArray.empty(one.type(), one.shape())
              : new SentArray(one.type(), one.shape(), one.values()).toArray());
    }
    Map<String, QuantizedWeight> weights = new LinkedHashMap<>();
    quantized.forEach((name, weight) -> weights.put(name, weight.toWeight()));
    return new Parameters(made, weights);
  }

  /** The names of what trains, in the model's order. */
  List<String> trained() {
    return arrays.stream().filter(one -> one.values() == null).map(Parameter::name).toList();
  }

  /** An engine on such a model. */
  BatchGradients engine(TransformerModel model, Parameters parameters) {
    return new BatchGradients(model, parameters, new HashSet<>(trained())::contains, memory, loss);
  }

  /** Bytes of the frozen weights. */
  long bytes() {
    return arrays.stream().mapToLong(one -> one.values() == null ? 0 : one.values().length).sum()
        + quantized.values().stream().mapToLong(SentWeight::bytes).sum();
  }
}
