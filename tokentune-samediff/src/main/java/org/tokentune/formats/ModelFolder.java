package org.tokentune.formats;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.Warnings;

/**
 * A Hugging Face model folder: {@code config.json}, {@code tokenizer.json} and {@code
 * model.safetensors} or its shards. For a BERT, {@code vocab.txt} and TensorFlow's {@code
 * bert_model.ckpt.*} are accepted instead of the last two; for an XLM-RoBERTa or a DeBERTa, a
 * SentencePiece model instead of {@code tokenizer.json}.
 */
public final class ModelFolder {

  public static final String CONFIG = "config.json";
  public static final String WEIGHTS = "model.safetensors";
  public static final String TOKENIZER = "tokenizer.json";
  public static final String INDEX = "model.safetensors.index.json";

  /** File names of PyTorch's own weights. */
  private static final List<String> PICKLES =
      List.of("pytorch_model.bin", "pytorch_model.bin.index.json", "consolidated.00.pth");

  /** Configuration of adapters, which may be present without a model. */
  public static final String ADAPTERS = "adapter_config.json";

  /** File name of Google's BERT checkpoints, without extension. */
  public static final String TENSORFLOW = "bert_model.ckpt";

  /** Vocabulary of a BERT without {@code tokenizer.json}. */
  public static final String VOCABULARY = "vocab.txt";

  /** Accepts NaN and Infinity, as Python's json does. */
  public static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .disable(JsonWriteFeature.WRITE_NAN_AS_STRINGS)
          .enable(SerializationFeature.INDENT_OUTPUT)
          .build();

  private ModelFolder() {}

  /**
   * Opens a folder; close the result.
   *
   * @throws BadInputException if a file is missing or damaged
   */
  public static ModelFiles open(Path folder) {
    required(folder, "folder");

    Path encoder = encoder(folder);
    JsonNode config = config(folder);
    CompanionFiles companions =
        encoder.equals(folder) ? CompanionFiles.in(folder) : CompanionFiles.in(folder, encoder);
    TokenizerSource tokenizer = tokenizer(encoder, config, companions);
    return new ModelFiles(folder.toString(), config, weights(encoder), tokenizer, companions, null);
  }

  /**
   * The encoder's folder: the folder itself, or that of the first module in a sentence-transformers
   * model.
   */
  private static Path encoder(Path folder) {
    if (!Files.isRegularFile(folder.resolve(CompanionFiles.MODULES))) {
      return folder;
    }
    JsonNode modules = CompanionFiles.in(folder).json(CompanionFiles.MODULES).orElseThrow();
    String path = modules.path(0).path("path").asText();
    boolean within =
        path.matches("[0-9]+_[A-Za-z0-9_]+")
            && Files.isRegularFile(folder.resolve(path).resolve(CONFIG));
    return within ? folder.resolve(path) : folder;
  }

  private static TokenizerSource tokenizer(
      Path folder, JsonNode config, CompanionFiles companions) {
    Path vocabulary = folder.resolve(VOCABULARY);
    if (!Files.exists(folder.resolve(TOKENIZER)) && Files.isRegularFile(vocabulary)) {
      return WordPieceVocabulary.read(
          vocabulary, config.path("vocab_size").asInt(), TokenizerConfig.read(companions, config));
    }
    if (!Files.exists(folder.resolve(TOKENIZER))) {
      Optional<Vocabulary> pieces =
          SentencePieceModel.in(
              folder,
              config.path("model_type").asText(),
              config.path("vocab_size").asInt(),
              TokenizerConfig.read(companions, config));
      if (pieces.isPresent()) {
        return pieces.get();
      }
    }
    try {
      WeightFile.checkFetched(folder.resolve(TOKENIZER));
      return new TokenizerSource.Json(Files.readAllBytes(folder.resolve(TOKENIZER)));
    } catch (NoSuchFileException e) {
      throw new BadFileException(
          e, "%s has no %s; save the model's fast tokenizer there.", folder, TOKENIZER);
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be read.", folder.resolve(TOKENIZER));
    }
  }

  /** The parsed {@code config.json}; of a Gemma 3 for images and text, that of its text. */
  public static JsonNode config(Path folder) {
    required(folder, "folder");

    Path file = encoder(folder).resolve(CONFIG);
    if (!Files.isRegularFile(file)) {
      throw new BadFileException(
          "%s contains no %s; give the path of a model folder.", folder, CONFIG);
    }
    return TextPart.config(configFile(file), file.toString());
  }

  /** A parsed {@code config.json}, whatever its name. */
  public static JsonNode configFile(Path file) {
    required(file, "file");

    try {
      if (Files.size(file) > Limits.CONFIG_BYTES) {
        throw new BadFileException(
            "%s has %d bytes, more than the %d bytes supported for a configuration; download it"
                + " again.",
            file, Files.size(file), Limits.CONFIG_BYTES);
      }
      JsonNode config = JSON.readTree(file.toFile());
      if (config.isObject()) {
        return config;
      }
    } catch (IOException e) {
      throw new BadFileException(e, "%s is not valid JSON; download it again.", file);
    }
    throw new BadFileException("%s is not a JSON object; download it again.", file);
  }

  /** Opens only the weights. */
  public static WeightSource weights(Path folder) {
    required(folder, "folder");

    Path index = folder.resolve(INDEX);
    Path bundle = folder.resolve(TENSORFLOW + ".index");
    if (Files.isRegularFile(bundle) && !Files.exists(folder.resolve(WEIGHTS))) {
      return TensorBundle.open(bundle);
    }
    if (Files.exists(folder.resolve(WEIGHTS))) {
      if (Files.exists(index)) {
        Warnings.warn(
            "%s has both %s and %s; the first is read and the shards are ignored, as in"
                + " transformers.",
            folder, WEIGHTS, INDEX);
      }
      return TextPart.over(FourBitWeights.over(SafeTensors.open(folder.resolve(WEIGHTS))));
    }
    if (Files.isRegularFile(index)) {
      return TextPart.over(FourBitWeights.over(ShardedSafeTensors.open(index)));
    }
    for (String pickle : PICKLES) {
      if (Files.exists(folder.resolve(pickle))) {
        throw new BadFileException(
            "%s has its weights in %s, a Python pickle, which can run arbitrary code and is not"
                + " read; convert it: AutoModel.from_pretrained(folder).save_pretrained(folder)"
                + " in transformers writes %s (use the AutoModelFor... class of its task).",
            folder, pickle, WEIGHTS);
      }
    }
    throw new BadFileException(
        "%s has no %s, neither whole nor in shards; give the path of a model folder that has one.",
        folder, WEIGHTS);
  }

  /** Whether a folder holds a model or adapters. */
  public static boolean holdsModel(Path folder) {
    required(folder, "folder");

    return Files.exists(folder.resolve(CONFIG)) || Files.exists(folder.resolve(ADAPTERS));
  }
}
