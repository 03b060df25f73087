package org.tokentune.files;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.formats.ModelFolder;
import org.tokentune.formats.SafeTensors;
import org.tokentune.formats.SafeTensorsWriter;

/**
 * The training checkpoints of one run: a folder each, such as {@code step-00000100}, with
 * safetensors files and {@code state.json}, which holds a checksum (CRC-32C) of each file and of
 * itself. A checkpoint is written under another name, flushed to disk and renamed, so it is never
 * seen incomplete.
 *
 * @param folder parent folder of all checkpoints
 * @param keep how many of the newest checkpoints are kept
 */
public record Checkpoints(Path folder, int keep) {

  private static final String STATE = "state.json";
  private static final String TENSORS = ".safetensors";
  private static final String CHECKSUMS = "checksums";
  private static final String CHECKSUM = "checksum";
  private static final Pattern NAME = Pattern.compile("step-([0-9]{1,9})");

  private static final String FORMAT = "format";

  /** Incremented whenever an older checkpoint would be misread. */
  private static final int VERSION = 3;

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  public Checkpoints {
    required(folder, "folder");

    if (keep < 1) {
      throw new BadSettingsException(
          "Keeping %d checkpoints would leave none; keep 1 or more.", keep);
    }
  }

  /**
   * Writes a checkpoint and removes those no longer needed: the oldest, and any of a later step
   * left over from another run.
   *
   * @param tensors by file name without extension
   * @throws BadInputException if it cannot be written; the existing checkpoints remain
   */
  public void write(int step, ObjectNode state, Map<String, Map<String, INDArray>> tensors) {
    required(state, "state");
    required(tensors, "tensors");

    Path target = folder.resolve(String.format(Locale.ROOT, "step-%08d", step));
    try {
      Staging.write(
          folder,
          staged -> {
            ObjectNode summed = state.deepCopy().put(FORMAT, VERSION);
            ObjectNode sums = summed.putObject(CHECKSUMS);
            for (Map.Entry<String, Map<String, INDArray>> file : tensors.entrySet()) {
              Path path = staged.resolve(file.getKey() + TENSORS);
              SafeTensorsWriter.write(path, file.getValue());
              sums.put(path.getFileName().toString(), checksum(path));
            }
            summed.put(CHECKSUM, checksum(summed));
            JSON.writeValue(staged.resolve(STATE).toFile(), summed);
          },
          staged -> {
            if (Files.exists(target)) {
              Staging.remove(target);
            }
            Staging.move(staged, target);
          });
      removeOld(step);
    } catch (IOException e) {
      throw new BadFileException(
          e,
          "The checkpoint of step %d cannot be written to %s (%s). Check free space and"
              + " permissions; %s.",
          step,
          folder,
          WholeFile.reason(e),
          newest()
              .map(last -> "the last complete one is " + last.getFileName() + ", to resume from")
              .orElse("there is none yet"));
    }
  }

  private void removeOld(int step) throws IOException {
    List<Path> old =
        all().stream().filter(checkpoint -> step(checkpoint).getAsInt() <= step).toList();
    List<Path> kept = old.subList(Math.max(0, old.size() - keep), old.size());
    for (Path checkpoint : all()) {
      if (!kept.contains(checkpoint)) {
        Staging.remove(checkpoint);
      }
    }
  }

  /** The checkpoint of the latest step; empty if there is none. */
  public Optional<Path> newest() {
    try {
      List<Path> all = all();
      return all.isEmpty() ? Optional.empty() : Optional.of(all.get(all.size() - 1));
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be read: %s.", folder, e.getMessage());
    }
  }

  /** All checkpoints in order of their steps. */
  private List<Path> all() throws IOException {
    return Files.isDirectory(folder)
        ? Staging.entries(folder).stream().filter(file -> step(file).isPresent()).toList()
        : List.of();
  }

  /** The step in a checkpoint's name; empty for any other name. */
  public static OptionalInt step(Path checkpoint) {
    required(checkpoint, "checkpoint");

    Path file = checkpoint.getFileName();
    Matcher name = NAME.matcher(file == null ? "" : file.toString());
    return name.matches() ? OptionalInt.of(Integer.parseInt(name.group(1))) : OptionalInt.empty();
  }

  /**
   * The state written with a checkpoint.
   *
   * @throws BadInputException if it is missing or damaged
   */
  public static JsonNode state(Path checkpoint) {
    required(checkpoint, "checkpoint");

    Path file = checkpoint.resolve(STATE);
    if (!Files.isRegularFile(file)) {
      throw new BadFileException(
          "%s is not a training checkpoint, as it has no %s; name a folder such as"
              + " checkpoints/step-00000100.",
          checkpoint, STATE);
    }
    JsonNode state = ModelFolder.configFile(file);
    if (!state.path(FORMAT).equals(IntNode.valueOf(VERSION))) {
      throw new BadFileException(
          "%s has version %s of the training checkpoint format, but only version %d can be read;"
              + " resume with the version of this program that wrote it, or start over.",
          checkpoint, state.path(FORMAT).asText("none"), VERSION);
    }
    ObjectNode summed = state.deepCopy();
    JsonNode sum = summed.remove(CHECKSUM);
    if (sum == null || !sum.asText().equals(checksum(summed))) {
      throw damaged(file);
    }
    return state;
  }

  private static BadInputException damaged(Path file) {
    return new BadFileException(
        "%s is damaged (its checksum is wrong); resume from another checkpoint, or start over.",
        file);
  }

  private static String checksum(JsonNode state) {
    CRC32C sum = new CRC32C();
    sum.update(state.toString().getBytes(StandardCharsets.UTF_8));
    return Long.toHexString(sum.getValue());
  }

  private static String checksum(Path file) throws IOException {
    CRC32C sum = new CRC32C();
    try (CheckedInputStream in = new CheckedInputStream(Files.newInputStream(file), sum)) {
      byte[] buffer = new byte[1 << 20];
      while (in.read(buffer) >= 0) {
        // read only for its checksum
      }
    }
    return Long.toHexString(sum.getValue());
  }

  /**
   * The arrays in one of a checkpoint's files, named as for {@link #write}; empty if the file was
   * not written.
   *
   * @throws BadInputException if the file is missing or damaged
   */
  public static Optional<Map<String, INDArray>> tensors(Path checkpoint, String name) {
    required(checkpoint, "checkpoint");
    required(name, "name");

    Path file = checkpoint.resolve(name + TENSORS);
    JsonNode sum = state(checkpoint).path(CHECKSUMS).path(file.getFileName().toString());
    if (sum.isMissingNode()) {
      return Optional.empty();
    }
    try {
      if (!sum.asText().equals(checksum(file))) {
        throw damaged(file);
      }
    } catch (IOException e) {
      throw new BadFileException(
          e, "%s cannot be read; resume from another checkpoint, or start over.", file);
    }
    try (SafeTensors tensors = SafeTensors.open(file)) {
      Map<String, INDArray> arrays = new LinkedHashMap<>();
      tensors.names().forEach(tensor -> arrays.put(tensor, tensors.read(tensor)));
      return Optional.of(arrays);
    }
  }
}
