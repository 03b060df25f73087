package org.tokentune.adapters;

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
import org.tokentune.BadInputException;
import org.tokentune.checkpoint.ModelFolder;
import org.tokentune.checkpoint.SafeTensors;
import org.tokentune.checkpoint.WeightSource;
import org.tokentune.models.Head;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;
import org.tokentune.ops.BlockWeight;

/**
 * Adapters as PEFT keeps them: a folder with {@code adapter_config.json} and {@code
 * adapter_model.safetensors}, whose tensors are called {@code
 * base_model.model.<layer>.lora_A.weight}, what trained beside the adapters {@code
 * base_model.model.<parameter>}, and biases of adapted layers {@code
 * base_model.model.<layer>.base_layer.bias} (names as PEFT 0.21.2 writes them; other spellings are
 * read too). A {@code config.json} beside them says what the head's outputs mean.
 */
public final class AdapterFolder implements AutoCloseable {

  public static final String CONFIG = ModelFolder.ADAPTERS;
  public static final String WEIGHTS = "adapter_model.safetensors";

  /** Tasks whose heads only encoders have here. */
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
   * @throws BadInputException if a file is missing or damaged, or says something that changes
   *     numbers in a way that is not supported
   */
  public static AdapterFolder open(Path folder) {
    Path file = folder.resolve(CONFIG);
    if (!Files.isRegularFile(file)) {
      throw new BadInputException(
          "%s has no %s; name a folder of adapters%s.", folder, CONFIG, within(folder));
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

  /** Folders of adapters in a folder: checkpoints, or those of other names than "default". */
  private static String within(Path folder) {
    try (Stream<Path> entries = Files.list(folder)) {
      List<String> found =
          entries.filter(AdapterFolder::isOne).map(Path::toString).sorted().limit(3).toList();
      return found.isEmpty() ? "" : ", such as " + String.join(", ", found);
    } catch (IOException e) {
      return ""; // The folder is not there, which is said already.
    }
  }

  private static void checkWeights(Path folder) {
    if (Files.isRegularFile(folder.resolve(WEIGHTS))) {
      return;
    }
    if (Files.isRegularFile(folder.resolve(PICKLED))) {
      throw new BadInputException(
          "%s is a pickle, which is not read; convert it in its folder: python -c \"import torch;"
              + " from safetensors.torch import save_file; save_file({k: v.clone() for k, v in"
              + " torch.load('%s', weights_only=True).items()}, '%s')\".",
          folder.resolve(PICKLED), PICKLED, WEIGHTS);
    }
    try (Stream<Path> entries = Files.list(folder)) {
      if (entries.anyMatch(
          file -> file.getFileName().toString().matches("adapter_model-.*\\.safetensors"))) {
        throw new BadInputException(
            "%s has its adapters in several files, which are not read; save them in one, %s, with a"
                + " larger max_shard_size.",
            folder, WEIGHTS);
      }
    } catch (IOException e) {
      throw new BadInputException(e, "%s cannot be listed; check the path.", folder);
    }
    throw new BadInputException("%s has no %s; copy it there.", folder, WEIGHTS);
  }

  /** Whether a folder holds adapters. */
  public static boolean isOne(Path folder) {
    return Files.isRegularFile(folder.resolve(CONFIG));
  }

  /** The parameter that PEFT calls by a name, in a file or in a live model. */
  public static String parameter(String peftName) {
    return AdapterTensors.parameter(peftName, Set.of("default"));
  }

  /** What the adapters stand on: a path or a name, as {@code base_model_name_or_path} says it. */
  public String base() {
    return config.base();
  }

  /** The base's version on the hub; empty where it is not said. */
  public Optional<String> revision() {
    return Optional.ofNullable(config.revision());
  }

  /**
   * Where {@link #base} is a path: from the adapters' folder on, or from the current one; empty
   * where there is nothing.
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
   * The task that the configuration names; {@link Objective#FEATURE_EXTRACTION} for a model without
   * a head.
   */
  public Optional<Objective> task() {
    return config.task();
  }

  /** Outputs of the classifier that trained beside the adapters; empty where none did. */
  public OptionalInt outputs() {
    return Head.outputs(new Heads(tensors, tensors.whole()));
  }

  /**
   * The model's {@code config.json}: the one beside the adapters, or the base's; where it names no
   * head for the adapters' task, with the one that PEFT loads for it. Labels' names are those of
   * the configuration, if it has as many as the adapters' classifier has outputs.
   */
  public JsonNode modelConfig(JsonNode base) {
    boolean beside = Files.isRegularFile(folder.resolve(ModelFolder.CONFIG));
    ObjectNode json = (beside ? ModelFolder.config(folder) : base).deepCopy();
    String type = base.path("model_type").asText("bert");
    Optional<Objective> task = config.task();
    if (task.filter(CLASSIFIERS::contains)
        .filter(wanted -> wanted.architecture(type).isEmpty())
        .isPresent()) {
      throw new BadInputException(
          "%s: task_type %s is not supported on a base whose model_type is %s; name one that is bert,"
              + " roberta or distilbert.",
          config.origin(), config.taskType(), type);
    }
    boolean fits =
        Objectives.read(json, 2)
            .map(named -> task.map(wanted -> sameHead(named, wanted, type)).orElse(beside))
            .orElse(false);
    if (!fits) {
      task.flatMap(wanted -> wanted.architecture(type))
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
    return one.architecture(type).equals(other.architecture(type));
  }

  /**
   * Sees to it that the adapters fit a base.
   *
   * @throws BadInputException as {@link #read}
   */
  public void check(TransformerModel base) {
    new Fitting(folder.toString(), config, tensors, base);
  }

  /**
   * The adapters on a base. Where its head is tied to the table of words, and only one of them
   * trained, or both trained apart, the adapters' model has a head of its own.
   *
   * @param parameters of the base; its weights are shared, not copied
   * @throws BadInputException if a tensor has no place in the base or another shape, one is
   *     missing, or they were made for another base
   */
  public Adapter read(TransformerModel base, Parameters parameters) {
    return new Fitting(folder.toString(), config, tensors, base).read(parameters);
  }

  /**
   * The base's tensors, with the head that trained beside the adapters in place of its own.
   *
   * @param model with that head
   * @throws BadInputException if neither has all of the head: PEFT would make it at random
   */
  public WeightSource over(WeightSource base, TransformerModel model) {
    Map<String, String> heads = new LinkedHashMap<>();
    for (String name : model.parameters().keySet()) {
      if (tensors.whole().containsKey(name)) {
        heads.put(name, tensors.whole().get(name));
      } else if (model.isHead(name) && !ParameterLoader.has(model, base, name)) {
        throw new BadInputException(
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
   * Some of the tensors that trained as a whole.
   *
   * @param stored their names in the file, by those of parameters
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
   * Writes adapters; a model or adapters in the folder are replaced, nothing half-written stays.
   *
   * @param base name or path of what they stand on
   * @param modelConfig the model's {@code config.json}; null where nobody needs it to know what
   *     outputs mean: beside one, transformers looks for a whole model
   * @param extras further files, such as the tokenizer's
   * @throws BadInputException as {@link ModelFolder#checkWritable}, or if writing fails
   */
  public static void write(
      Path folder,
      Adapter adapter,
      String base,
      JsonNode modelConfig,
      List<ModelFolder.Extra> extras) {
    AdapterWriter.write(folder, adapter, base, modelConfig, extras);
  }
}
