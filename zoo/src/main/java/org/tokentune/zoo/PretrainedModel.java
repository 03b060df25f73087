package org.tokentune.zoo;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.Pooling;
import org.tokentune.models.TransformerModel;
import org.tokentune.models.WeightStorage;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;
import org.tokentune.select.RandomTokens;
import org.tokentune.train.MemorySettings;
import org.tokentune.train.OptimizerSettings;
import org.tokentune.train.ParameterOptimizer;
import org.tokentune.train.StepMemoryPlanner;
import org.tokentune.train.StepMemoryReport;

/**
 * An entry of the catalogue.
 *
 * @param licence of the weights, by its SPDX name where it has one
 * @param json as a Hugging Face {@code config.json}, as far as this project reads it
 */
public record PretrainedModel(String name, String licence, JsonNode json, ModelSource source) {

  public PretrainedModel {
    required(name, "name");
    required(licence, "licence");
    required(json, "json");
    required(source, "source");
  }

  public ModelConfig config() {
    return ModelConfig.read(json, name);
  }

  /** Number of all parameters, those of the head for language modelling included. */
  public long parameters() {
    Objective task = config().causal() ? Objectives.CAUSAL_LM : Objectives.MASKED_LM;
    return model(task, config().vocabulary()).parameters().values().stream()
        .mapToLong(shape -> Arrays.stream(shape).reduce(1, (a, b) -> a * b))
        .sum();
  }

  /**
   * Plans a training step of all parameters with AdamW: of an encoder to two classes, of a decoder
   * to the next word. Every gradient is applied as soon as it is complete; what one cheap pass
   * gives is computed again. Needs no weights.
   *
   * @param tokens that carry gradient, e.g. {@code 25%} or {@code all}
   */
  public StepMemoryReport tuningMemory(int batch, int length, String tokens) {
    required(tokens, "tokens");

    TransformerModel model =
        config().causal()
            ? model(Objectives.CAUSAL_LM, config().vocabulary())
            : model(Objectives.CLASSIFY, 2);
    ParameterOptimizer optimizer =
        OptimizerSettings.adamW(0).optimizer(model, Parameters.shapeOnly(model.parameters()));
    StepMemoryPlanner planner =
        new StepMemoryPlanner(
            model, name -> true, WeightStorage.FLOAT32, MemorySettings.defaults(), optimizer, true);
    return planner.plan(
        batch,
        length,
        StepMemoryPlanner.selected(model, RandomTokens.parse(tokens, 1, true), length));
  }

  private TransformerModel model(Objective task, int outputs) {
    return config().model(new Head(task, outputs, Pooling.FIRST));
  }
}
