package org.tokentune.adapters;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.files.ModelWriter;
import org.tokentune.formats.ModelFolder;
import org.tokentune.formats.SafeTensors;
import org.tokentune.formats.WeightSource;
import org.tokentune.models.Architectures;
import org.tokentune.models.Head;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;
import org.tokentune.ops.BlockWeight;

/**
 * Adapters in PEFT's format: a folder with {@code adapter_config.json} and {@code
 * adapter_model.safetensors}. Its tensors are named {@code base_model.model.<layer>.lora_A.weight},
 * other trained parameters {@code base_model.model.<parameter>}, and biases of adapted layers
 * {@code base_model.model.<layer>.base_layer.bias} (names as in PEFT 0.21.2; other spellings are
 * also read). An optional {@code config.json} describes the head's outputs.
 */
public final class AdapterFolder implements AutoCloseable {

  public static final String CONFIG = ModelFolder.ADAPTERS;
  public static final String WEIGHTS = "adapter_model.safetensors";

  /** Tasks with heads that only encoders have here. */
  private static final Set<Objective> CLASSIFIERS =
      Set.of(Objectives.CLASSIFY, Objectives.TOKEN, Objectives.QUESTION_ANSWERING);

  private static final String PICKLED = "adapter_model.bin";

  private final Path folder;
  private final PeftConfig config;
  private final AdapterTensors tensors;

  private AdapterFolder(Path folder, PeftConfig config, AdapterTensors tensors) {
    this.folder = folder;
    this.config = config;
    this.tensors = tensors;
  }

  /**
   * Opens a folder; close the result.
   *
   * @throws BadInputException if a file is missing or damaged, or has an unsupported setting that
   *     would change results
   */
  public static AdapterFolder open(Path folder) {
    required(folder, "folder");

    Path file = folder.resolve(CONFIG);
    if (!Files.isRegularFile(file)) {
      throw new BadFileException(
          "%s has no %s; name a folder with adapters%s.", folder, CONFIG, within(folder));
    }
    PeftConfig config = PeftConfig.read(ModelFolder.configFile(file), file.toString());
    checkWeights(folder);
    SafeTensors source = SafeTensors.open(folder.resolve(WEIGHTS));
    boolean complete = false;
    try {
      AdapterFolder opened = new AdapterFolder(folder, config, new AdapterTensors(source));
      complete = true;
      return opened;
    } finally {
      if (!complete) {
        source.close();
      }
    }
  }

  /** Adapter folders within a folder: training checkpoints, or adapters not named "default". */
  private static String within(Path folder) {
    try (Stream<Path> entries = Files.list(folder)) {
      List<String> found =
          entries.filter(AdapterFolder::isOne).map(Path::toString).sorted().limit(3).toList();
      return found.isEmpty() ? "" : ", such as " + String.join(", ", found);
    } catch (IOException e) {
      return ""; // The folder does not exist, which the message already says.
    }
  }

  private static void checkWeights(Path folder) {
    if (Files.isRegularFile(folder.resolve(WEIGHTS))) {
      return;
    }
    if (Files.isRegularFile(folder.resolve(PICKLED))) {
      throw new BadFileException(
          "%s is a pickle, which is not read; convert it in its folder: python -c \"import torch;"
              + " from safetensors.torch import save_file; save_file({k: v.clone() for k, v in"
              + " torch.load('%s', weights_only=True).items()}, '%s')\".",
          folder.resolve(PICKLED), PICKLED, WEIGHTS);
    }
    try (Stream<Path> entries = Files.list(folder)) {
      if (entries.anyMatch(
          file -> file.getFileName().toString().matches("adapter_model-.*\\.safetensors"))) {
        throw new BadFileException(
            "%s has its adapters in several files, which is not supported; save them in one file,"
                + " %s, with a larger max_shard_size.",
            folder, WEIGHTS);
      }
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be listed; check the path.", folder);
    }
    throw new BadFileException("%s has no %s; copy it there.", folder, WEIGHTS);
  }

  /** Whether a folder contains adapters. */
  public static boolean isOne(Path folder) {
    required(folder, "folder");

    return Files.isRegularFile(folder.resolve(CONFIG));
  }

  /** The parameter for one of PEFT's names, in a file or in a live model. */
  public static String parameter(String peftName) {
    required(peftName, "peftName");

    return AdapterTensors.parameter(peftName, Set.of("default"));
  }

  /** The base model: a path or a name, from {@code base_model_name_or_path}. */
  public String base() {
    return config.base();
  }

  /** The base's revision on the hub; empty if not given. */
  public Optional<String> revision() {
    return Optional.ofNullable(config.revision());
  }

  /**
   * {@link #base} as an existing path, relative to the adapters' folder or to the current one;
   * empty if there is none.
   */
  public Optional<Path> basePath() {
    if (base().isBlank()) {
      return Optional.empty();
    }
    try {
      return Stream.of(folder.resolve(base()), Path.of(base())).filter(Files::exists).findFirst();
    } catch (InvalidPathException e) {
      return Optional.empty();
    }
  }

  /**
   * The task that the configuration names; {@link Objectives#FEATURE_EXTRACTION} for a model
   * without a head.
   */
  public Optional<Objective> task() {
    return config.task();
  }

  /** Number of outputs of the classifier trained with the adapters; empty if there is none. */
  public OptionalInt outputs() {
    return Head.outputs(new Heads(tensors, tensors.whole()));
  }

  /**
   * The model's {@code config.json}: the adapters' own, or the base's. If it names no head for the
   * adapters' task, the head that PEFT loads for it is added. Label names are taken from the
   * configuration if their number matches the classifier's outputs.
   */
  public JsonNode modelConfig(JsonNode base) {
    required(base, "base");

    boolean hasConfig = Files.isRegularFile(folder.resolve(ModelFolder.CONFIG));
    ObjectNode json = (hasConfig ? ModelFolder.config(folder) : base).deepCopy();
    String type = base.path("model_type").asText("bert");
    Optional<Objective> task = config.task();
    if (task.filter(CLASSIFIERS::contains)
        .filter(wanted -> Architectures.of(wanted, type).isEmpty())
        .isPresent()) {
      throw new BadFileException(
          "%s: task_type %s is not supported on a base whose model_type is %s; use a base of type"
              + " bert, roberta or distilbert.",
          config.origin(), config.taskType(), type);
    }
    boolean fits =
        Architectures.task(json, 2)
            .map(named -> task.map(wanted -> sameHead(named, wanted, type)).orElse(hasConfig))
            .orElse(false);
    if (!fits) {
      task.flatMap(wanted -> Architectures.of(wanted, type))
          .or(() -> Optional.ofNullable(config.modelClass()))
          .ifPresent(architecture -> json.putArray("architectures").add(architecture));
    }
    outputs()
        .ifPresent(
            count -> {
              if (json.path("id2label").size() != count) {
                json.remove(List.of("id2label", "label2id"));
              }
            });
    return json;
  }

  private static boolean sameHead(Objective one, Objective other, String type) {
    return Architectures.of(one, type).equals(Architectures.of(other, type));
  }

  /**
   * Checks that the adapters fit a base.
   *
   * @throws BadInputException as {@link #read}
   */
  public void check(TransformerModel base) {
    required(base, "base");

    new Fitting(folder.toString(), config, tensors, base);
  }

  /**
   * Attaches the adapters to a base. If its head is tied to the token embeddings, and only one of
   * them was trained, or both separately, the adapters' model has an untied head.
   *
   * @param parameters of the base; its weights are shared, not copied
   * @throws BadInputException if a tensor is missing, does not exist in the base or has another
   *     shape, or the adapters were made for another base
   */
  public Adapter read(TransformerModel base, Parameters parameters) {
    required(base, "base");
    required(parameters, "parameters");

    return new Fitting(folder.toString(), config, tensors, base).read(parameters);
  }

  /**
   * The base's tensors, with the head trained with the adapters instead of its own.
   *
   * @param model a model with that head
   * @throws BadInputException if neither has the complete head, which PEFT would initialise
   *     randomly
   */
  public WeightSource over(WeightSource base, TransformerModel model) {
    required(base, "base");
    required(model, "model");

    Map<String, String> heads = new LinkedHashMap<>();
    for (String name : model.parameters().keySet()) {
      if (tensors.whole().containsKey(name)) {
        heads.put(name, tensors.whole().get(name));
      } else if (model.isHead(name) && !ParameterLoader.has(model, base, name)) {
        throw new BadFileException(
            "Neither %s nor its base, %s, has the tensor %s; name a base that has it, or train it"
                + " with the adapters (PEFT's modules_to_save).",
            folder, base.origin(), name);
      }
    }
    heads.keySet().removeIf(name -> !model.isHead(name));
    return new Overlay(new Heads(tensors, heads), base);
  }

  @Override
  public void close() {
    tensors.source().close();
  }

  /**
   * Some of the fully trained tensors.
   *
   * @param stored their names in the file, by parameter name
   */
  private record Heads(AdapterTensors tensors, Map<String, String> stored) implements WeightSource {

    @Override
    public Set<String> names() {
      return stored.keySet();
    }

    @Override
    public long[] shape(String name) {
      return tensors.source().shape(stored.get(name));
    }

    @Override
    public INDArray read(String name) {
      return tensors.source().read(stored.get(name));
    }

    @Override
    public String origin() {
      return tensors.source().origin();
    }

    @Override
    public void close() {
      tensors.source().close();
    }
  }

  /** Closing it closes neither. */
  private record Overlay(WeightSource heads, WeightSource base) implements WeightSource {

    @Override
    public Set<String> names() {
      Set<String> names = new LinkedHashSet<>(base.names());
      names.addAll(heads.names());
      return names;
    }

    private WeightSource of(String name) {
      return heads.names().contains(name) ? heads : base;
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
    public void close() {}
  }

  /**
   * Writes adapters atomically; an existing model or adapters in the folder are replaced.
   *
   * @param base name or path of the base model
   * @param modelConfig the model's {@code config.json}; null if it is not needed to interpret the
   *     outputs, because with one, transformers looks for a complete model
   * @param extras further files, such as the tokenizer's
   * @throws BadInputException as {@link ModelWriter#checkWritable}, or if writing fails
   */
  public static void write(
      Path folder,
      Adapter adapter,
      String base,
      JsonNode modelConfig,
      List<ModelWriter.Extra> extras) {
    required(folder, "folder");
    required(adapter, "adapter");
    required(base, "base");
    required(extras, "extras");

    AdapterWriter.write(folder, adapter, base, modelConfig, extras);
  }
}
