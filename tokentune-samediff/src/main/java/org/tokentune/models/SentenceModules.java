package org.tokentune.models;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.Warnings;
import org.tokentune.formats.CompanionFiles;
import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.KnownFields;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.TokenizerConfig;
import org.tokentune.formats.WeightSource;

/**
 * What makes sentence vectors of an encoder's hidden states: the modules that {@code modules.json}
 * lists, and the settings beside it, as sentence-transformers 6.2 reads what its versions 2 to 6
 * have written.
 *
 * @param pooling one or more, whose results stand one after the other
 * @param includePrompt whether a prompt's tokens count
 * @param steps what comes after pooling
 * @param maxLength tokens to which texts are cut; null: as many as the model takes
 * @param lowerCase whether texts are lower-cased
 * @param dimension numbers to which vectors are cut; null: they are not
 * @param prompts by name
 * @param defaultPrompt its name; null: none
 */
public record SentenceModules(
    List<SentencePooling> pooling,
    boolean includePrompt,
    List<SentenceStep> steps,
    Integer maxLength,
    boolean lowerCase,
    Integer dimension,
    Map<String, String> prompts,
    String defaultPrompt) {

  private static final String PACKAGE = "sentence_transformers.";

  private static final KnownFields MODULE = KnownFields.NONE.harmless("idx", "kwargs", "name");

  private static final KnownFields POOLING =
      KnownFields.NONE.harmless("embedding_dimension", "word_embedding_dimension");

  private static final KnownFields NORMALIZE =
      KnownFields.NONE
          .mustBe("module_input_name", "sentence_embedding")
          .mustBe("module_output_name", "sentence_embedding");

  /** Lengths of queries and documents count where a text is said to be one. */
  private static final KnownFields TRANSFORMER =
      KnownFields.NONE
          .harmless("document_length", "query_length", "unpad_inputs")
          .mustBe("module_output_name", "token_embeddings")
          .mustBe("processing_kwargs", Map.of())
          .mustBe("query_expansion")
          .mustBe("tokenizer_name_or_path")
          .mustBe("transformer_task", "feature-extraction");

  private static final KnownFields MODALITY = KnownFields.NONE.mustBe("format");

  /** How a program loads a model. */
  private static final KnownFields ARGUMENTS =
      KnownFields.NONE.harmless("attn_implementation", "trust_remote_code");

  private static final KnownFields SETTINGS =
      KnownFields.NONE
          .harmless("__version__", "requirements", "similarity_fn_name")
          .mustBe("model_type", "SentenceTransformer");

  private static final JsonNode NONE = JsonNodeFactory.instance.arrayNode();

  /** Sentence-transformers' where a module's file gives no rate. */
  private static final double USUAL_DROPOUT = 0.2;

  /** An encoder's without {@code modules.json}: the mean, normalised. */
  private static final SentenceModules PLAIN =
      new SentenceModules(
          List.of(SentencePooling.MEAN),
          true,
          List.of(SentenceStep.NORMALIZE),
          null,
          false,
          null,
          Map.of(),
          null);

  /** Whether dense layers follow the pooling. */
  public boolean hasDense() {
    return !dense().isEmpty();
  }

  /** Those of an encoder without {@code modules.json}: the mean of all tokens, normalised. */
  public static SentenceModules plain() {
    return PLAIN;
  }

  /**
   * Reads them.
   *
   * @throws BadInputException for a module, or a setting that changes vectors, that is not
   *     supported
   */
  public static SentenceModules read(ModelFiles model) {
    required(model, "model");

    return read(model.companions(), model.config(), model.name());
  }

  /**
   * As {@link #read(ModelFiles)}.
   *
   * @param files beside the weights
   * @param encoder its configuration
   * @param name of the model, for messages
   */
  public static SentenceModules read(CompanionFiles files, JsonNode encoder, String name) {
    required(files, "files");
    required(encoder, "encoder");
    required(name, "name");

    if (!files.names().contains(CompanionFiles.MODULES)) {
      Warnings.note(
          "%s has no %s: its vectors are the mean of the last hidden states, normalised; a model of"
              + " sentence-transformers needs that file.",
          name, CompanionFiles.MODULES);
      return PLAIN;
    }
    String origin = files.origin(CompanionFiles.MODULES);
    List<SentencePooling> pooling = new ArrayList<>();
    boolean includePrompt = true;
    List<SentenceStep> steps = new ArrayList<>();
    JsonNode modules = files.json(CompanionFiles.MODULES).orElseThrow();
    if (!modules.isArray()) {
      throw new BadFileException("%s is not a JSON array; download the model again.", origin);
    }
    for (int i = 0; i < modules.size(); i++) {
      ConfigReader module = ConfigReader.of(modules.get(i), origin);
      String type = module.text("type", "");
      String path = module.text("path", "");
      module.finish(MODULE);
      String title = type.startsWith(PACKAGE) ? type.substring(type.lastIndexOf('.') + 1) : type;
      boolean first = title.equals("Transformer");
      boolean second = title.equals("Pooling");
      if (first != (i == 0) || second != (i == 1)) {
        throw unsupported(origin, type);
      }
      switch (title) {
        case "Transformer" -> {
          if (!path.isEmpty()) {
            throw new BadFileException(
                "%s: the encoder's path is '%s', which does not exist; download the model again.",
                origin, path);
          }
        }
        case "Pooling" -> {
          ConfigReader config = files.object(path + "/config.json");
          if (config.names().isEmpty()) {
            throw new BadFileException(
                "%s is missing or empty; download the model again.", config.origin());
          }
          pooling.addAll(pooling(config));
          includePrompt = config.flag("include_prompt", true);
          config.finish(POOLING);
        }
        case "Dense" -> steps.add(SentenceDense.read(files, path));
        case "Normalize" -> {
          files.object(path + "/config.json").finish(NORMALIZE);
          steps.add(SentenceStep.NORMALIZE);
        }
        case "Dropout" -> {} // of training
        default -> throw unsupported(origin, type);
      }
    }
    if (pooling.isEmpty()) {
      throw new BadFileException(
          "%s has no encoder with pooling after it; download the model again.", origin);
    }
    ConfigReader transformer = transformer(files);
    Integer maxLength = maxLength(transformer, files, encoder);
    boolean lowerCase = transformer.flag("do_lower_case", false);
    transformer.finish(TRANSFORMER);
    ConfigReader settings = files.object(CompanionFiles.SENTENCE_TRANSFORMERS);
    Map<String, String> prompts = prompts(settings);
    String defaultPrompt = settings.text("default_prompt_name", null);
    if (defaultPrompt != null && !prompts.containsKey(defaultPrompt)) {
      throw settings.bad("default_prompt_name", "one of the prompts " + prompts.keySet());
    }
    Integer dimension = settings.has("truncate_dim") ? settings.count("truncate_dim") : null;
    settings.finish(SETTINGS);
    return new SentenceModules(
        pooling, includePrompt, steps, maxLength, lowerCase, dimension, prompts, defaultPrompt);
  }

  /**
   * Whether the modules list a dropout of vectors, which counts only in sentence-transformers' own
   * training; {@link #read} leaves it out.
   */
  public static boolean listDropout(ModelFiles model) {
    required(model, "model");

    for (JsonNode module : model.companions().json(CompanionFiles.MODULES).orElse(NONE)) {
      if (module.path("type").asText().endsWith(".Dropout")
          && model
                  .companions()
                  .object(module.path("path").asText() + "/config.json")
                  .number("dropout", USUAL_DROPOUT)
              > 0) {
        return true;
      }
    }
    return false;
  }

  private static BadInputException unsupported(String origin, String type) {
    return new BadFileException(
        "%s: the module %s is not supported there; Transformer, then Pooling, then any of Dense,"
            + " Normalize and Dropout are.",
        origin, type);
  }

  /** Version 6's one name or list of names, or older versions' switches. */
  private static List<SentencePooling> pooling(ConfigReader config) {
    List<SentencePooling> switched =
        Arrays.stream(SentencePooling.values())
            .filter(mode -> config.flag(mode.flag, false))
            .toList();
    String field = "pooling_mode";
    if (!config.has(field)) {
      return switched.isEmpty() ? List.of(SentencePooling.MEAN) : switched;
    }
    List<String> names =
        config.value(field).isTextual() ? List.of(config.text(field, "")) : config.texts(field);
    if (names.isEmpty()) {
      throw config.bad(field, "a name or a list of names");
    }
    return names.stream().map(name -> SentencePooling.named(name, config.origin())).toList();
  }

  /** The first of the names that versions gave the file which has something in it. */
  private static ConfigReader transformer(CompanionFiles files) {
    ConfigReader config = files.object(CompanionFiles.SENTENCE_CONFIG);
    for (String old : CompanionFiles.OLD_SENTENCE_CONFIGS) {
      config = config.names().isEmpty() ? files.object(old) : config;
    }
    ConfigReader modalities = config.object("modality_config");
    for (String name : modalities.names()) {
      ConfigReader modality = modalities.object(name);
      if (!name.equals("text")
          || !modality.text("method", "forward").equals("forward")
          || !modality.text("method_output_name", "").equals("last_hidden_state")) {
        throw config.bad("modality_config", "text, by forward's last_hidden_state");
      }
      modality.finish(MODALITY);
    }
    for (String arguments : List.of("model_args", "model_kwargs", "config_args", "config_kwargs")) {
      config.object(arguments).finish(ARGUMENTS);
    }
    return config;
  }

  /**
   * The tokenizer's length in the arguments that it is opened with, the encoder's, or else the
   * tokenizer's own.
   */
  /**
   * Tokens to which texts are cut.
   *
   * @param asked null: those that the files say, or as many as the model takes
   * @param positions of the model
   */
  public int longest(Integer asked, int positions) {
    if (asked != null) {
      return asked;
    }
    return maxLength == null ? positions : Math.min(maxLength, positions);
  }

  private static Integer maxLength(
      ConfigReader transformer, CompanionFiles files, JsonNode encoder) {
    Integer length = transformer.has("max_seq_length") ? transformer.count("max_seq_length") : null;
    for (String arguments : List.of("tokenizer_args", "processor_kwargs")) {
      ConfigReader tokenizer = transformer.object(arguments);
      if (tokenizer.has("model_max_length")) {
        length = tokenizer.count("model_max_length");
      }
      tokenizer.finish(ARGUMENTS);
    }
    return length == null ? TokenizerConfig.read(files, encoder).maxLength() : length;
  }

  private static Map<String, String> prompts(ConfigReader settings) {
    Map<String, String> prompts = new HashMap<>(Map.of("query", "", "document", ""));
    ConfigReader named = settings.object("prompts");
    named.names().forEach(name -> prompts.put(name, named.text(name, "")));
    return prompts;
  }

  public SentenceModules {
    required(pooling, "pooling");
    required(steps, "steps");
    required(prompts, "prompts");

    pooling = List.copyOf(pooling);
    steps = List.copyOf(steps);
    prompts = Map.copyOf(prompts);
  }

  /** The size of vectors of an encoder with rows of this size. */
  public int width(int hidden) {
    int width = pooling.size() * hidden;
    for (SentenceStep step : steps) {
      width = step.width(width);
    }
    return width;
  }

  /** Whether vectors depend on the row of the first token alone. */
  boolean readsFirst() {
    return pooling.equals(List.of(SentencePooling.CLS));
  }

  /** The dense layers among the modules after the pooling. */
  List<SentenceDense> dense() {
    return steps.stream()
        .filter(SentenceDense.class::isInstance)
        .map(SentenceDense.class::cast)
        .toList();
  }

  /** The folder of the dense layer that a parameter belongs to; null if it is the encoder's. */
  public static String folderOf(String parameter) {
    required(parameter, "parameter");

    return parameter.matches("[0-9]+_.*") ? parameter.substring(0, parameter.indexOf('.')) : null;
  }

  /** An encoder's weights with those of the dense layers. */
  public WeightSource over(WeightSource encoder) {
    required(encoder, "encoder");

    Map<String, INDArray> own = new LinkedHashMap<>();
    dense().forEach(layer -> own.putAll(layer.parameters()));
    return own.isEmpty() ? encoder : new AddedWeights(encoder, own);
  }

  /**
   * What stands before a text.
   *
   * @param nameOrText of a prompt; null: the default prompt
   */
  public String prompt(String nameOrText) {
    if (nameOrText != null) {
      return prompts.getOrDefault(nameOrText, nameOrText);
    }
    return defaultPrompt == null ? "" : prompts.get(defaultPrompt);
  }

  /**
   * The pooled vector of a text, or of a window of it.
   *
   * @param rows hidden states of its tokens
   * @param promptLength tokens of the prompt, at the beginning
   */
  public double[] pooled(float[][] rows, int promptLength) {
    int first = includePrompt ? 0 : promptLength;
    if (first >= rows.length) {
      throw new BadFileException(
          "The prompt's %d tokens leave no room for a text in %d; shorten it.", first, rows.length);
    }
    return SentencePooling.pool(pooling, rows, first);
  }

  /** A text's vector: its pooled one, through the modules after the pooling. */
  public float[] vector(double[] pooled) {
    double[] vector = pooled;
    for (SentenceStep step : steps) {
      vector = step.apply(vector);
    }
    int length = dimension == null ? vector.length : Math.min(dimension, vector.length);
    float[] result = new float[length];
    for (int i = 0; i < length; i++) {
      result[i] = (float) vector[i];
    }
    return result;
  }
}
