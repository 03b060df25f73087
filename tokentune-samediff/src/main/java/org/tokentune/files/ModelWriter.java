package org.tokentune.files;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
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
import org.tokentune.formats.FloatType;
import org.tokentune.formats.ModelFolder;
import org.tokentune.formats.SafeTensorsWriter;
import org.tokentune.formats.StoredTensors;

/** Writes model folders as {@link ModelFolder} reads them, atomically. */
public final class ModelWriter {

  private ModelWriter() {}

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
    if (Files.isDirectory(target) && !ModelFolder.holdsModel(target)) {
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
            "%s has room for %s, but the model takes %s; free some space, or name another folder.",
            folder, size(free), size(bytes));
      }
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be accessed; name another folder.", folder);
    }
  }

  /** In units in which small models are no 0. */
  private static String size(long bytes) {
    return bytes < 10_000_000
        ? String.format(Locale.ROOT, "%,d kB", bytes / 1000)
        : String.format(Locale.ROOT, "%,d MB", bytes / 1_000_000);
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
          writeConfig(staged, config, storage.type());
          writeWeights(staged, StoredTensors.of(weights), storage);
          Files.write(staged.resolve(ModelFolder.TOKENIZER), tokenizer);
          for (Extra extra : extras) {
            extra.write(staged);
          }
        });
  }

  /**
   * Writes a {@code config.json} into a folder under construction.
   *
   * @param type of the weights beside it
   * @throws IOException if it cannot be written
   */
  public static void writeConfig(Path folder, JsonNode config, FloatType type) throws IOException {
    ObjectNode stored = config.deepCopy();
    stored.put("torch_dtype", type.torchName); // as transformers 4 reads it
    stored.put("dtype", type.torchName); // as transformers 5 does
    stored.remove("quantization_config"); // 4-bit weights are written as floats
    ModelFolder.JSON.writeValue(folder.resolve(ModelFolder.CONFIG).toFile(), stored);
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
          e,
          "The model cannot be written to %s (%s); check free space and permissions.",
          folder,
          WholeFile.reason(e));
    }
  }

  /**
   * Writes weights into a folder under construction: one file, or several with an index.
   *
   * @return the number of files with weights
   * @throws IOException if a file cannot be written
   */
  public static int writeWeights(Path folder, StoredTensors weights, Storage storage)
      throws IOException {
    List<List<String>> shards = new ArrayList<>();
    long total = 0;
    long inShard = 0;
    for (String name : weights.names()) {
      long bytes = weights.bytes(name, storage.type());
      if (shards.isEmpty() || inShard + bytes > storage.mostShardBytes()) {
        shards.add(new ArrayList<>());
        inShard = 0;
      }
      shards.get(shards.size() - 1).add(name);
      inShard += bytes;
      total += bytes;
    }
    if (shards.size() <= 1) {
      SafeTensorsWriter.write(folder.resolve(ModelFolder.WEIGHTS), weights, storage.type());
      return 1;
    }
    ObjectNode index = ModelFolder.JSON.createObjectNode();
    index.putObject("metadata").put("total_size", total);
    ObjectNode files = index.putObject("weight_map");
    for (int i = 0; i < shards.size(); i++) {
      String file =
          String.format(Locale.ROOT, "model-%05d-of-%05d.safetensors", i + 1, shards.size());
      SafeTensorsWriter.write(folder.resolve(file), weights.only(shards.get(i)), storage.type());
      shards.get(i).forEach(name -> files.put(name, file));
    }
    ModelFolder.JSON.writeValue(folder.resolve(ModelFolder.INDEX).toFile(), index);
    return shards.size();
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
      Folders.delete(old);
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
        .sorted(Comparator.comparingInt(ModelWriter::rank))
        .toList();
  }

  private static int rank(Path file) {
    String name = file.getFileName().toString();
    return name.equals(ModelFolder.CONFIG) ? 0 : name.endsWith(".safetensors") ? 2 : 1;
  }
}
