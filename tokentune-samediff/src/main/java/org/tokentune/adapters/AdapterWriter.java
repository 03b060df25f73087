package org.tokentune.adapters;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.files.ModelWriter;
import org.tokentune.formats.ModelFolder;
import org.tokentune.formats.SafeTensorsWriter;
import org.tokentune.models.TransformerModel;
import org.tokentune.objectives.Objectives;

/**
 * Writes adapters so that PEFT loads them with identical results; names are those of PEFT 0.21.2.
 */
final class AdapterWriter {

  private static final String WEIGHT = ".weight";

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private final Adapter adapter;
  private final LoraModel model;
  private final LoraConfig lora;

  /** Null if, for this task, PEFT would fully train a head that is adapted here. */
  private final String taskType;

  /** PEFT's name for the tied head if the token embeddings are fully trained; otherwise null. */
  private final String tiedHead;

  private AdapterWriter(Adapter adapter) {
    this.adapter = adapter;
    model = adapter.model();
    lora = model.lora();
    String type = model.head().task().peftTaskType();
    List<String> whole = PeftConfig.wholeFor(type);
    boolean adaptsHead =
        model.layers().stream()
            .anyMatch(layer -> PeftConfig.moduleOf(layer + WEIGHT, whole).isPresent());
    taskType = adaptsHead ? null : type;
    tiedHead = lora.trainsWhole(model.base().wordTable()) ? Fitting.ownHead(model.base()) : null;
  }

  /** As {@link AdapterFolder#write}. */
  static void write(
      Path folder,
      Adapter adapter,
      String base,
      JsonNode modelConfig,
      List<ModelWriter.Extra> extras) {
    AdapterWriter writer = new AdapterWriter(adapter);
    ModelWriter.write(
        folder,
        staged -> {
          JSON.writeValue(staged.resolve(AdapterFolder.CONFIG).toFile(), writer.config(base));
          if (modelConfig != null) {
            JSON.writeValue(staged.resolve(ModelFolder.CONFIG).toFile(), modelConfig);
          }
          SafeTensorsWriter.write(staged.resolve(AdapterFolder.WEIGHTS), writer.tensors());
          for (ModelWriter.Extra extra : extras) {
            extra.write(staged);
          }
        });
  }

  private Map<String, INDArray> tensors() {
    Map<String, INDArray> tensors = new TreeMap<>();
    adapter
        .parameters()
        .asMap()
        .forEach(
            (name, array) -> {
              if (adapter.owns(name) || wanted(name)) {
                tensors.put(peftName(name), array);
              }
            });
    if (tiedHead != null) {
      tensors.put(peftName(tiedHead), adapter.parameters().get(model.base().wordTable()));
    }
    putDecoderBias(tensors);
    return tensors;
  }

  private String peftName(String parameter) {
    int dot = parameter.lastIndexOf('.');
    String module = parameter.substring(0, dot);
    if (parameter.endsWith(LoraModel.MAGNITUDE)) {
      return AdapterTensors.PREFIX + parameter;
    }
    String wrapped = model.layers().contains(module) ? ".base_layer" : "";
    return AdapterTensors.PREFIX + module + wrapped + parameter.substring(dot);
  }

  /** In transformers, the bias of a masked language modelling head also has a second name. */
  private void putDecoderBias(Map<String, INDArray> tensors) {
    TransformerModel base = model.base();
    String decoder = base.config().untied().model(base.head()).headTable();
    String bias = decoder.replaceFirst("\\.decoder\\.weight$", ".bias");
    boolean written = tensors.containsKey(peftName(bias)) || tensors.containsKey(peftName(decoder));
    if (base.head().task() == Objectives.MASKED_LM && !bias.equals(decoder) && written) {
      tensors.put(
          peftName(decoder.replaceFirst(WEIGHT + "$", ".bias")), adapter.parameters().get(bias));
    }
  }

  /** Whether PEFT fully trains a parameter for the task and therefore requires it in the file. */
  private boolean wanted(String parameter) {
    return PeftConfig.moduleOf(parameter, PeftConfig.wholeFor(taskType)).isPresent();
  }

  private ObjectNode config(String base) {
    ObjectNode config = JSON.createObjectNode();
    config.put("peft_type", "LORA");
    config.put("task_type", taskType);
    config.put("base_model_name_or_path", base);
    config.put("inference_mode", true);
    config.put("r", lora.rank());
    put(config, "lora_alpha", lora.alpha());
    config.put("lora_dropout", lora.dropout());
    config.put("bias", lora.bias().peftName());
    config.put("fan_in_fan_out", model.inputFirst());
    if (lora.rankStabilised()) {
      config.put("use_rslora", true); // unknown to PEFT before 0.7
    }
    if (lora.dora()) {
      config.put("use_dora", true); // unknown to PEFT before 0.9
    }
    putPatterns(config);
    boolean plain =
        lora.targets().stream()
            .noneMatch(name -> name.contains("*") || name.equals(LoraConfig.ALL_LINEAR));
    (plain ? lora.targets() : model.layers()).forEach(config.putArray("target_modules")::add);
    Set<String> whole = whole();
    if (whole.isEmpty()) {
      config.putNull("modules_to_save");
    } else {
      whole.forEach(config.putArray("modules_to_save")::add);
    }
    return config;
  }

  /** Writes whole alphas as integers, which is how PEFT declares them. */
  private static void put(ObjectNode object, String name, double alpha) {
    if (alpha == Math.rint(alpha)) {
      object.put(name, (long) alpha);
    } else {
      object.put(name, alpha);
    }
  }

  /** Written only if needed, because PEFT before 0.6 does not know these fields. */
  private void putPatterns(ObjectNode config) {
    for (String layer : model.layers()) {
      LoraConfig.Size size = lora.size(layer);
      if (size.rank() != lora.rank()) {
        config.withObject("/rank_pattern").put(layer, size.rank());
      }
      if (size.alpha() != lora.alpha()) {
        put(config.withObject("/alpha_pattern"), layer, size.alpha());
      }
    }
  }

  /** Fully trained modules. */
  private Set<String> whole() {
    Set<String> whole = new LinkedHashSet<>();
    for (String name : lora.trained()) {
      if (name.contains("*")) {
        model.base().parameters().keySet().stream()
            .flatMap(parameter -> LoraConfig.modules(parameter).stream())
            .filter(module -> LoraConfig.matches(name, module))
            .forEach(whole::add);
      } else {
        whole.add(name);
      }
    }
    if (tiedHead != null) {
      whole.add(tiedHead.substring(0, tiedHead.length() - WEIGHT.length()));
    }
    return whole;
  }
}
