package org.tokentune.spark;

import java.io.IOException;
import java.io.Serializable;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.RemoteIterator;
import org.tokentune.BadFileException;
import org.tokentune.BadSettingsException;
import org.tokentune.files.Folders;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.text.TextModel;

/**
 * The files of a saved model, to send to executors and to keep in Spark's file systems.
 *
 * @param id identifies them
 * @param files by name, relative to the model's folder
 */
record ModelArchive(String id, Map<String, byte[]> files) implements Serializable {

  /** Saves a model and reads its files; SameDiff's, which has the weights again, is left out. */
  static ModelArchive of(TextModel model) {
    if (model.savedBytes() > Integer.MAX_VALUE - 1_000_000) {
      throw new BadSettingsException(
          "The model takes %,d MB, and Spark sends less than 2 GiB at once; save it in a folder that"
              + " all machines read.",
          model.savedBytes() / 1_000_000);
    }
    return inTemporaryFolder(
        folder -> {
          Path saved = folder.resolve("model");
          model.save(saved);
          Map<String, byte[]> files = new TreeMap<>();
          try (Stream<Path> all = Files.walk(saved)) { // sentence-transformers has folders in it
            for (Path file : all.filter(Files::isRegularFile).sorted().toList()) {
              if (!file.endsWith(TextModel.SAMEDIFF_FILE)) {
                String name = saved.relativize(file).toString().replace('\\', '/');
                files.put(name, Files.readAllBytes(file));
              }
            }
          }
          return new ModelArchive(UUID.randomUUID().toString(), files);
        });
  }

  /** Opens the model. */
  TextModel open() {
    return inTemporaryFolder(
        folder -> {
          for (Map.Entry<String, byte[]> file : files.entrySet()) {
            Path path = folder.resolve(file.getKey());
            Files.createDirectories(path.getParent());
            Files.write(path, file.getValue());
          }
          try (ModelFiles opened = ModelFolder.open(folder)) {
            return TextModel.open(opened);
          }
        });
  }

  /** Writes the files to a folder of a file system that Spark knows. */
  void write(String folder, Configuration hadoop) throws IOException {
    org.apache.hadoop.fs.Path parent = new org.apache.hadoop.fs.Path(folder);
    FileSystem system = parent.getFileSystem(hadoop);
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      try (FSDataOutputStream out =
          system.create(new org.apache.hadoop.fs.Path(parent, file.getKey()))) {
        out.write(file.getValue());
      }
    }
  }

  /** Reads what {@link #write} has written. */
  static ModelArchive read(String folder, Configuration hadoop) throws IOException {
    org.apache.hadoop.fs.Path parent = new org.apache.hadoop.fs.Path(folder);
    FileSystem system = parent.getFileSystem(hadoop);
    Map<String, byte[]> files = new TreeMap<>();
    URI base = system.makeQualified(parent).toUri();
    RemoteIterator<LocatedFileStatus> all = system.listFiles(parent, true);
    while (all.hasNext()) {
      org.apache.hadoop.fs.Path file = all.next().getPath();
      try (FSDataInputStream in = system.open(file)) {
        files.put(base.relativize(file.toUri()).getPath(), in.readAllBytes());
      }
    }
    return new ModelArchive(UUID.randomUUID().toString(), files);
  }

  private interface Use<T> {
    T in(Path folder) throws IOException;
  }

  private static <T> T inTemporaryFolder(Use<T> use) {
    try {
      Path folder = Files.createTempDirectory("tokentune-spark");
      try {
        return use.in(folder);
      } finally {
        Folders.delete(folder);
      }
    } catch (IOException e) {
      throw new BadFileException(
          e,
          "The model's files cannot be kept in the folder for temporary files (%s); give it space, or"
              + " name another one with java.io.tmpdir.",
          e.getMessage());
    }
  }
}
