package org.tokentune.checkpoint;

import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.Warnings;

/**
 * A Hugging Face model folder: {@code config.json}, {@code tokenizer.json} and {@code
 * model.safetensors} or its shards. For a BERT, {@code vocab.txt} and TensorFlow's {@code
 * bert_model.ckpt.*} are accepted instead of the last two.
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
  static final ObjectMapper JSON =
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
    try {
      CheckpointFile.checkFetched(folder.resolve(TOKENIZER));
      return new TokenizerSource.Json(Files.readAllBytes(folder.resolve(TOKENIZER)));
    } catch (NoSuchFileException e) {
      throw new BadFileException(
          e, "%s has no %s; save the model's fast tokenizer there.", folder, TOKENIZER);
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be read.", folder.resolve(TOKENIZER));
    }
  }

  /** The parsed {@code config.json}. */
  public static JsonNode config(Path folder) {
    Path file = encoder(folder).resolve(CONFIG);
    if (!Files.isRegularFile(file)) {
      throw new BadFileException("%s has no %s; name a model folder.", folder, CONFIG);
    }
    return configFile(file);
  }

  /** A parsed {@code config.json}, whatever its name. */
  public static JsonNode configFile(Path file) {
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
      return FourBitWeights.over(SafeTensors.open(folder.resolve(WEIGHTS)));
    }
    if (Files.isRegularFile(index)) {
      return FourBitWeights.over(ShardedSafeTensors.open(index));
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
        "%s has no %s, neither whole nor in shards; name a model folder that has one.",
        folder, WEIGHTS);
  }

  /**
   * How weights are written.
   *
   * @param mostShardBytes most bytes of tensors per file, unless a single tensor is larger
   */
  public record Storage(FloatType type, long mostShardBytes) {

    /** Files of at most 5 GB, as in transformers. */
    public static Storage of(FloatType type) {
      return new Storage(type, 5_000_000_000L);
    }
  }

  /** Writes additional files into a folder under construction. */
  public interface Extra {
    void write(Path folder) throws IOException;
  }

  /**
   * Rejects a folder that {@link #write} would reject, before hours of training.
   *
   * @throws BadInputException if it is a file, is not writable, or holds files that do not belong
   *     to a model
   */
  public static void checkWritable(Path folder) {
    Path target = folder.toAbsolutePath().normalize();
    if (Files.exists(target) && !Files.isDirectory(target)) {
      throw new BadFileException("%s is a file; name another folder for the model.", folder);
    }
    if (Files.isDirectory(target) && !holdsModel(target)) {
      try {
        if (!entries(target).isEmpty()) {
          throw new BadFileException(
              "%s holds files that do not belong to a model; name a new or an empty folder.",
              folder);
        }
      } catch (IOException e) {
        throw new BadFileException(e, "%s cannot be listed; name another folder.", folder);
      }
    }
    if (Files.isDirectory(target) && !Files.isWritable(target)) {
      throw new BadFileException("%s cannot be written to; name another folder.", folder);
    }
    Path existing = existing(folder);
    if (existing == null || !Files.isDirectory(existing) || !Files.isWritable(existing)) {
      throw new BadFileException(
          "%s cannot be created, as %s is not a writable folder; name another folder.",
          folder, existing);
    }
  }

  /** The folder, or its nearest existing parent. */
  private static Path existing(Path folder) {
    Path existing = folder.toAbsolutePath().normalize();
    while (existing != null && !Files.exists(existing)) {
      existing = existing.getParent();
    }
    return existing;
  }

  /**
   * Rejects a folder whose disk has no room for a model, before hours of training. An existing
   * model counts as occupying its space, as it stays until the new one is complete.
   *
   * @param bytes size of the model
   */
  public static void checkSpace(Path folder, long bytes) {
    try {
      long free = Files.getFileStore(existing(folder)).getUsableSpace();
      if (free < bytes) {
        throw new BadFileException(
            "%s has room for %,d MB, but the model takes %,d MB; free some space, or name another"
                + " folder.",
            folder, free / 1_000_000, bytes / 1_000_000);
      }
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be accessed; name another folder.", folder);
    }
  }

  /** Whether a folder holds a model or adapters. */
  public static boolean holdsModel(Path folder) {
    return Files.exists(folder.resolve(CONFIG)) || Files.exists(folder.resolve(ADAPTERS));
  }

  /** Writes a model in 32-bit floats. */
  public static void write(
      Path folder,
      JsonNode config,
      Map<String, INDArray> weights,
      byte[] tokenizer,
      List<Extra> extras) {
    write(folder, config, weights, tokenizer, Storage.of(FloatType.F32), extras);
  }

  /**
   * Writes a model under another name and then moves it into place. An existing model is replaced;
   * the log and training checkpoints stay. If anything fails, the folder is unchanged and no
   * partial files remain.
   *
   * @throws BadInputException as {@link #checkWritable}, or if writing fails
   */
  public static void write(
      Path folder,
      JsonNode config,
      Map<String, INDArray> weights,
      byte[] tokenizer,
      Storage storage,
      List<Extra> extras) {
    write(
        folder,
        staged -> {
          ObjectNode stored = config.deepCopy();
          stored.put("torch_dtype", storage.type().torchName); // as transformers 4 reads it
          stored.put("dtype", storage.type().torchName); // as transformers 5 does
          stored.remove("quantization_config"); // 4-bit weights are written as floats
          JSON.writeValue(staged.resolve(CONFIG).toFile(), stored);
          writeWeights(staged, weights, storage);
          Files.write(staged.resolve(TOKENIZER), tokenizer);
          for (Extra extra : extras) {
            extra.write(staged);
          }
        });
  }

  /**
   * Writes a folder's content under another name and then moves it into place, as {@link
   * #write(Path, JsonNode, Map, byte[], Storage, List)} does.
   *
   * @param content writes the folder's files, including {@code config.json} or {@code
   *     adapter_config.json}
   */
  public static void write(Path folder, Extra content) {
    checkWritable(folder);
    Path target = folder.toAbsolutePath().normalize();
    try {
      Staging.write(target, content::write, staged -> replace(target, staged));
    } catch (IOException e) {
      throw new BadFileException(
          e, "The model cannot be written to %s: %s; check free space and permissions.", folder, e);
    }
  }

  private static void writeWeights(Path folder, Map<String, INDArray> weights, Storage storage)
      throws IOException {
    List<Map<String, INDArray>> shards = new ArrayList<>();
    long total = 0;
    long inShard = 0;
    for (Map.Entry<String, INDArray> tensor : weights.entrySet()) {
      long bytes = tensor.getValue().length() * storage.type().width;
      if (shards.isEmpty() || inShard + bytes > storage.mostShardBytes()) {
        shards.add(new LinkedHashMap<>());
        inShard = 0;
      }
      shards.get(shards.size() - 1).put(tensor.getKey(), tensor.getValue());
      inShard += bytes;
      total += bytes;
    }
    if (shards.size() <= 1) {
      SafeTensorsWriter.write(folder.resolve(WEIGHTS), weights, storage.type());
      return;
    }
    ObjectNode index = JSON.createObjectNode();
    index.putObject("metadata").put("total_size", total);
    ObjectNode files = index.putObject("weight_map");
    for (int i = 0; i < shards.size(); i++) {
      String file =
          String.format(Locale.ROOT, "model-%05d-of-%05d.safetensors", i + 1, shards.size());
      SafeTensorsWriter.write(folder.resolve(file), shards.get(i), storage.type());
      shards.get(i).keySet().forEach(name -> files.put(name, file));
    }
    JSON.writeValue(folder.resolve(INDEX).toFile(), index);
  }

  /**
   * Replaces the existing files with the staged ones. In between, the folder holds no loadable
   * model: weights are removed first and added last.
   */
  private static void replace(Path target, Path staged) throws IOException {
    Path old = Files.createDirectory(Staging.unread(target));
    Map<Path, Path> moved = new LinkedHashMap<>();
    try {
      List<Path> going = new ArrayList<>(entries(target));
      Collections.reverse(going);
      for (Path file : going) {
        move(file, old, moved);
      }
      for (Path file : entries(staged)) {
        move(file, target, moved);
      }
    } catch (IOException e) {
      List<Path> back = new ArrayList<>(moved.keySet());
      Collections.reverse(back);
      for (Path file : back) {
        Staging.move(moved.get(file), file);
      }
      throw e;
    } finally {
      Staging.delete(old);
    }
  }

  private static void move(Path file, Path folder, Map<Path, Path> moved) throws IOException {
    Path to = folder.resolve(file.getFileName());
    Staging.move(file, to);
    moved.put(file, to);
  }

  /** The model's files, {@code config.json} first and weights last. */
  private static List<Path> entries(Path folder) throws IOException {
    return Staging.entries(folder).stream()
        .filter(file -> !RunFolder.OWN.contains(file.getFileName().toString()))
        .sorted(Comparator.comparingInt(ModelFolder::rank))
        .toList();
  }

  private static int rank(Path file) {
    String name = file.getFileName().toString();
    return name.equals(CONFIG) ? 0 : name.endsWith(".safetensors") ? 2 : 1;
  }
}
