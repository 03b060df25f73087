package org.tokentune.adapters;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadInputException;
import org.tokentune.checkpoint.ModelFolder;
import org.tokentune.checkpoint.SafeTensors;
import org.tokentune.checkpoint.SafeTensorsWriter;
import org.tokentune.checkpoint.WeightSource;
import org.tokentune.models.Model;
import org.tokentune.models.Task;
import org.tokentune.nn.Parameters;
import org.tokentune.ops.BlockWeight;

/**
 * Adapters as PEFT keeps them: a folder with {@code adapter_config.json} and {@code
 * adapter_model.safetensors}, whose tensors are called {@code
 * base_model.model.<layer>.lora_A.weight}, and what trained beside the adapters {@code
 * base_model.model.<parameter>} (names as PEFT 0.5 writes them; those of later versions are read
 * too). A {@code config.json} beside them says what the head's outputs mean.
 */
public final class AdapterFolder implements WeightSource {

  public static final String CONFIG = "adapter_config.json";
  public static final String WEIGHTS = "adapter_model.safetensors";

  private static final String PREFIX = "base_model.model.";
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private final Path folder;
  private final JsonNode config;
  private final SafeTensors tensors;
  private final Map<String, String> stored = new LinkedHashMap<>();

  private AdapterFolder(Path folder, JsonNode config, SafeTensors tensors) {
    this.folder = folder;
    this.config = config;
    this.tensors = tensors;
    tensors.names().forEach(name -> stored.put(parameter(name), name));
  }

  /**
   * Opens a folder; close the result.
   *
   * @throws BadInputException if a file is missing or damaged
   */
  public static AdapterFolder open(Path folder) {
    Path file = folder.resolve(CONFIG);
    if (!Files.isRegularFile(file)) {
      throw new BadInputException("%s has no %s; name a folder of adapters.", folder, CONFIG);
    }
    if (!Files.isRegularFile(folder.resolve(WEIGHTS))) {
      throw new BadInputException(
          "%s has no %s; save the adapters with safe_serialization=True.", folder, WEIGHTS);
    }
    return new AdapterFolder(
        folder, ModelFolder.configFile(file), SafeTensors.open(folder.resolve(WEIGHTS)));
  }

  /** Whether a folder holds adapters. */
  public static boolean isOne(Path folder) {
    return Files.isRegularFile(folder.resolve(CONFIG));
  }

  /** The parameter that PEFT calls by a name, in a file or in a live model. */
  public static String parameter(String peftName) {
    String name = peftName.startsWith(PREFIX) ? peftName.substring(PREFIX.length()) : peftName;
    return name.replace(".base_layer.", ".")
        .replace(".modules_to_save.", ".")
        .replace(".default.", ".");
  }

  /** What the adapters stand on: a path or a name, as {@code base_model_name_or_path} says it. */
  public String base() {
    return config.path("base_model_name_or_path").asText("");
  }

  /** The model's {@code config.json}, where the folder has one. */
  public Optional<JsonNode> modelConfig() {
    return Files.isRegularFile(folder.resolve(ModelFolder.CONFIG))
        ? Optional.of(ModelFolder.config(folder))
        : Optional.empty();
  }

  /**
   * Sees to it that the adapters fit a base.
   *
   * @throws BadInputException as {@link #read(Model, Parameters)}
   */
  public void check(Model base) {
    model(base);
  }

  /**
   * The adapters on a base.
   *
   * @param parameters of the base; its weights are shared, not copied
   * @throws BadInputException if they are of a kind that is not supported, or for another base
   */
  public Adapter read(Model base, Parameters parameters) {
    LoraModel model = model(base);
    Map<String, long[]> shapes = model.parameters();
    Map<String, INDArray> values = new LinkedHashMap<>();
    for (String name : names()) {
      values.put(shapes.containsKey(name) ? name : base.prefix() + name, read(name));
    }
    return Adapter.of(model, parameters, values);
  }

  private LoraModel model(Model base) {
    LoraModel model = new LoraModel(base, lora(base));
    Map<String, long[]> shapes = model.parameters();
    Set<String> missing = new LinkedHashSet<>(model.adapterShapes().keySet());
    for (String name : names()) {
      String parameter = shapes.containsKey(name) ? name : base.prefix() + name;
      long[] shape = shapes.get(parameter);
      if (shape == null) {
        throw otherBase("it adapts " + name + ", which this base has not");
      }
      if (!Arrays.equals(shape, shape(name))) {
        throw otherBase(
            String.format(
                Locale.ROOT,
                "%s is %s and should be %s",
                name,
                Arrays.toString(shape(name)),
                Arrays.toString(shape)));
      }
      missing.remove(parameter);
    }
    if (!missing.isEmpty()) {
      throw otherBase("it has no " + missing.iterator().next());
    }
    return model;
  }

  private BadInputException otherBase(String difference) {
    return new BadInputException(
        "%s was made for another base: %s; name the base it was trained on (%s).",
        folder, difference, base());
  }

  private LoraConfig lora(Model base) {
    refuse("peft_type", !config.path("peft_type").asText("LORA").equals("LORA"));
    refuse("use_dora", config.path("use_dora").asBoolean());
    refuse("layers_to_transform", !isEmpty("layers_to_transform"));
    refuse("rank_pattern", !isEmpty("rank_pattern"));
    refuse("alpha_pattern", !isEmpty("alpha_pattern"));
    JsonNode rank = config.path("r");
    if (!rank.isInt() || !config.path("lora_alpha").isNumber()) {
      throw new BadInputException(
          "%s has no whole r or no lora_alpha; get it again.", folder.resolve(CONFIG));
    }
    return new LoraConfig(
        rank.intValue(),
        config.path("lora_alpha").doubleValue(),
        config.path("lora_dropout").asDouble(),
        config.path("use_rslora").asBoolean(),
        false,
        LoraConfig.Bias.read(config.path("bias").asText("none")),
        targets(base),
        strings(config.path("modules_to_save")));
  }

  private boolean isEmpty(String field) {
    JsonNode node = config.path(field);
    return node.isMissingNode() || node.isNull() || (node.isContainerNode() && node.isEmpty());
  }

  private void refuse(String field, boolean present) {
    if (present) {
      throw new BadInputException(
          "%s: %s is %s, which is not supported; plain LoRA is.",
          folder.resolve(CONFIG), field, config.path(field));
    }
  }

  /** Of the names only those that the base has: PEFT passes over the others. */
  private List<String> targets(Model base) {
    JsonNode targets = config.path("target_modules");
    List<String> modules =
        base.parameters().keySet().stream()
            .filter(name -> name.endsWith(".weight"))
            .map(name -> name.substring(0, name.length() - ".weight".length()))
            .toList();
    List<String> found;
    if (targets.isTextual() && !targets.asText().equals(LoraConfig.ALL_LINEAR)) {
      Pattern pattern = pattern(targets.asText());
      found = modules.stream().filter(module -> pattern.matcher(module).matches()).toList();
    } else if (targets.isTextual()) {
      found = List.of(LoraConfig.ALL_LINEAR);
    } else {
      found =
          strings(targets).stream()
              .filter(name -> modules.stream().anyMatch(m -> LoraConfig.matches(name, m)))
              .toList();
    }
    if (found.isEmpty()) {
      throw otherBase("it adapts " + targets + ", which this base has not");
    }
    return found;
  }

  private Pattern pattern(String regex) {
    try {
      return Pattern.compile(regex);
    } catch (PatternSyntaxException e) {
      throw new BadInputException(
          e, "%s: target_modules %s is no pattern; correct it.", folder.resolve(CONFIG), regex);
    }
  }

  private static List<String> strings(JsonNode list) {
    List<String> strings = new ArrayList<>();
    list.forEach(item -> strings.add(item.asText()));
    return strings;
  }

  /** The base's tensors, with what trained beside the adapters in place of its own. */
  public WeightSource over(WeightSource base) {
    return new Overlay(this, base);
  }

  /** Names of the model's parameters that are here. */
  @Override
  public Set<String> names() {
    return stored.keySet();
  }

  @Override
  public long[] shape(String name) {
    return tensors.shape(stored(name));
  }

  @Override
  public INDArray read(String name) {
    return tensors.read(stored(name));
  }

  private String stored(String name) {
    return stored.getOrDefault(name, name);
  }

  @Override
  public String origin() {
    return folder.toString();
  }

  @Override
  public void close() {
    tensors.close();
  }

  private record Overlay(AdapterFolder adapters, WeightSource base) implements WeightSource {

    @Override
    public Set<String> names() {
      Set<String> names = new LinkedHashSet<>(base.names());
      names.addAll(adapters.names());
      return names;
    }

    private WeightSource of(String name) {
      return adapters.names().contains(name) ? adapters : base;
    }

    @Override
    public long[] shape(String name) {
      return of(name).shape(name);
    }

    @Override
    public INDArray read(String name) {
      return of(name).read(name);
    }

    @Override
    public BlockWeight readBlocks(String name) {
      return of(name).readBlocks(name);
    }

    @Override
    public String origin() {
      return base.origin();
    }

    @Override
    public void close() {
      base.close();
      adapters.close();
    }
  }

  /**
   * Writes adapters; a model or adapters in the folder are replaced, nothing half-written stays.
   *
   * @param base name or path of what they stand on
   * @param modelConfig the model's {@code config.json}
   * @throws BadInputException as {@link ModelFolder#checkWritable}, or if writing fails
   */
  public static void write(Path folder, Adapter adapter, String base, JsonNode modelConfig) {
    LoraModel model = adapter.model();
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    Set<String> own = model.adapterShapes().keySet();
    adapter
        .parameters()
        .asMap()
        .forEach(
            (name, array) -> {
              if (own.contains(name) || model.trainsOfBase(name)) {
                tensors.put(PREFIX + name, array);
              }
            });
    ModelFolder.write(
        folder,
        staged -> {
          JSON.writeValue(staged.resolve(CONFIG).toFile(), config(model, base));
          JSON.writeValue(staged.resolve(ModelFolder.CONFIG).toFile(), modelConfig);
          SafeTensorsWriter.write(staged.resolve(WEIGHTS), tensors);
        });
  }

  private static ObjectNode config(LoraModel model, String base) {
    LoraConfig lora = model.lora();
    ObjectNode config = JSON.createObjectNode();
    config.put("peft_type", "LORA");
    config.put("task_type", taskType(model.head().task()));
    config.put("base_model_name_or_path", base);
    config.put("inference_mode", true);
    config.put("r", lora.rank());
    if (lora.alpha() == Math.rint(lora.alpha())) {
      config.put("lora_alpha", (long) lora.alpha()); // PEFT declares it an int
    } else {
      config.put("lora_alpha", lora.alpha());
    }
    config.put("lora_dropout", lora.dropout());
    config.put("bias", lora.bias().peftName());
    config.put("fan_in_fan_out", model.inputFirst());
    if (lora.rankStabilised()) {
      config.put("use_rslora", true); // PEFT before 0.7 knows no such field
    }
    boolean plain = lora.targets().stream().noneMatch(name -> name.matches(".*\\*.*|all-linear"));
    (plain ? lora.targets() : model.layers()).forEach(config.putArray("target_modules")::add);
    if (lora.trained().isEmpty()) {
      config.putNull("modules_to_save");
    } else {
      lora.trained().forEach(config.putArray("modules_to_save")::add);
    }
    return config;
  }

  private static String taskType(Task task) {
    return switch (task) {
      case CLASSIFY, MULTILABEL, REGRESS -> "SEQ_CLS";
      case TOKEN -> "TOKEN_CLS";
      case QUESTION_ANSWERING -> "QUESTION_ANS";
      case CAUSAL_LM -> "CAUSAL_LM";
      case MASKED_LM, POOL -> null;
    };
  }
}
