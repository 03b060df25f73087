package org.tokentune.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.nd4j.shade.protobuf.ByteString;
import org.nd4j.shade.protobuf.CodedInputStream;
import org.nd4j.shade.protobuf.CodedOutputStream;
import org.tensorflow.framework.Summary;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;

/**
 * TensorBoard's event files in a folder: numbers by step. Source: TensorFlow's event.proto and
 * TensorBoard 2.21's readers.
 *
 * <p>A resumed training first cuts off the steps of the earlier files that it repeats, so that
 * every step is there once, and then writes a file of its own, whose first events tell a running
 * TensorBoard to forget them too.
 */
final class EventFiles implements TrainingCurves.Sink {

  private static final String NAME = "events.out.tfevents.";
  private static final String OURS = ".tokentune";
  private static final String VERSION = "brain.Event:2";

  // Fields of Event, and of SessionLog.
  private static final int WALL_TIME = 1;
  private static final int STEP = 2;
  private static final int FILE_VERSION = 3;
  private static final int SUMMARY = 5;
  private static final int SESSION_LOG = 7;
  private static final int STATUS = 1;
  private static final int START = 1;

  private final Path folder;

  /** Null before the first event: a training that fails at once leaves no file. */
  private OutputStream out;

  private Path file;

  EventFiles(Path folder) {
    this.folder = folder;
  }

  /**
   * Reports early that there could be no file.
   *
   * @param continues whether files of an earlier training may be there, whose steps from the first
   *     new one on are then cut off
   */
  void check(boolean continues) {
    Path existing = folder.toAbsolutePath().normalize();
    while (existing != null && !Files.exists(existing)) {
      existing = existing.getParent();
    }
    if (existing == null || !Files.isDirectory(existing) || !Files.isWritable(existing)) {
      throw new BadFileException(
          "--tensorboard %s cannot be written, as %s is not a writable folder; name another folder.",
          folder, existing);
    }
    try {
      List<Path> present = files("");
      if (!present.equals(files(OURS))) {
        throw new BadFileException(
            "--tensorboard %s holds the events of another program, which are not replaced; name another"
                + " folder.",
            folder);
      }
      if (!continues && !present.isEmpty()) {
        throw new BadFileException(
            "--tensorboard %s holds the events of another training; name another folder, or replace"
                + " them with --overwrite.",
            folder);
      }
    } catch (IOException e) {
      throw failed(folder, e);
    }
  }

  /** The event files in the folder, by name: the oldest first. */
  private List<Path> files(String end) throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> all = Files.list(folder)) {
      return all.filter(path -> path.getFileName().toString().contains("tfevents"))
          .filter(path -> path.getFileName().toString().endsWith(end))
          .sorted()
          .toList();
    }
  }

  @Override
  public void begin(int step) {
    try {
      Files.createDirectories(folder);
      long seconds = System.currentTimeMillis() / 1000;
      for (Path earlier : files(OURS)) {
        cut(earlier, step);
        String name = earlier.getFileName().toString();
        String time = name.substring(NAME.length(), name.length() - OURS.length());
        if (time.matches("[0-9]{1,15}")) { // readers take the files in the order of their names
          seconds = Math.max(seconds, Long.parseLong(time) + 1);
        }
      }
      file = folder.resolve(String.format(Locale.ROOT, "%s%010d%s", NAME, seconds, OURS));
      out = Files.newOutputStream(file, StandardOpenOption.CREATE_NEW);
      write(event -> event.writeString(FILE_VERSION, VERSION));
      if (step > 0) {
        ByteString start = message(session -> session.writeEnum(STATUS, START));
        write(
            event -> {
              event.writeInt64(STEP, step + 1);
              event.writeBytes(SESSION_LOG, start);
            });
      }
    } catch (IOException e) {
      throw failed(file == null ? folder : file, e);
    }
  }

  @Override
  public void add(int step, int steps, Map<String, Double> numbers) {
    Summary.Builder summary = Summary.newBuilder();
    numbers.forEach(
        (name, value) ->
            summary.addValue(
                Summary.Value.newBuilder().setTag(name).setSimpleValue(value.floatValue())));
    try {
      write(
          event -> {
            event.writeInt64(STEP, step);
            event.writeMessage(SUMMARY, summary.build());
          });
    } catch (IOException e) {
      throw failed(file, e);
    }
  }

  /** Fields of a message. */
  private interface Fields {
    void writeTo(CodedOutputStream message) throws IOException;
  }

  private static ByteString message(Fields fields) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream message = CodedOutputStream.newInstance(bytes);
    fields.writeTo(message);
    message.flush();
    return ByteString.copyFrom(bytes.toByteArray());
  }

  private void write(Fields fields) throws IOException {
    ByteString event =
        message(
            message -> {
              message.writeDouble(WALL_TIME, System.currentTimeMillis() / 1e3);
              fields.writeTo(message);
            });
    out.write(TfRecord.framed(event.toByteArray())); // whole, as readers stop at half a record
  }

  /** Cuts off the events after a step, and what is not a whole record. */
  private static void cut(Path file, int step) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      long end = 0;
      byte[] event = TfRecord.read(channel, end);
      while (event != null && step(event) <= step) {
        end += TfRecord.framedBytes(event.length);
        event = TfRecord.read(channel, end);
      }
      channel.truncate(end);
    }
  }

  private static long step(byte[] event) throws IOException {
    CodedInputStream fields = CodedInputStream.newInstance(event);
    for (int tag = fields.readTag(); tag != 0; tag = fields.readTag()) {
      if (tag >>> 3 == STEP) {
        return fields.readInt64();
      }
      fields.skipField(tag);
    }
    return 0;
  }

  private static BadInputException failed(Path file, IOException cause) {
    return new BadFileException(
        cause,
        "%s cannot be written (%s); check free space and permissions, or name another folder with"
            + " --tensorboard.",
        file,
        cause.getMessage());
  }

  @Override
  public void close() {
    if (out != null) {
      try {
        out.close();
      } catch (IOException e) {
        throw failed(file, e);
      }
    }
  }
}
