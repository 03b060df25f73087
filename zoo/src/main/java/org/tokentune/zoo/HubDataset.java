package org.tokentune.zoo;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;

/**
 * Files of a data set on Hugging Face's hub: {@code hf:datasets/owner/name}, with {@code @revision}
 * or without, and then the path of a file, a folder, or a pattern such as {@code
 * data/validation-*.parquet} in it. They are kept as Python's huggingface_hub keeps them.
 *
 * <p>Without a path they are the files of the part that is trained on, which Hugging Face's
 * datasets know by the word {@code train} in a file's or folder's name; all files, if none has it.
 */
public final class HubDataset {

  private static final String SCHEME = "hf:datasets/";

  private static final Pattern ADDRESS =
      Pattern.compile(
          SCHEME
              + "("
              + HubRepository.PART
              + "/"
              + HubRepository.PART
              + ")(?:@("
              + HubRepository.PART
              + "))?(?:/(.+))?");

  /** Names of files that tasks read, compressed or not. */
  private static final Pattern ROWS =
      Pattern.compile("(?i).*[.](parquet|csv|tsv|json|jsonl|ndjson|txt)([.](gz|zst))?");

  private static final Pattern TRAIN = word("train|training");

  private static final Pattern OTHER =
      word("validation|valid|dev|val|test|testing|eval|evaluation");

  private final HubRepository hub;

  /** Null: the part that is trained on. */
  private final String path;

  private HubDataset(HubRepository hub, String path) {
    this.hub = hub;
    this.path = path;
  }

  private static Pattern word(String words) {
    return Pattern.compile("(?i)(^|[^a-z])(" + words + ")([^a-z]|$)");
  }

  /** Whether this is an address of a data set. */
  public static boolean isAddress(String name) {
    required(name, "name");

    return name.startsWith(SCHEME);
  }

  /**
   * Reads an address.
   *
   * @throws BadInputException if it is none
   */
  public static HubDataset of(String address) {
    return of(address, ZooSettings.ofEnvironment());
  }

  static HubDataset of(String address, ZooSettings settings) {
    required(address, "address");

    Matcher matcher = ADDRESS.matcher(address);
    if (!matcher.matches()) {
      throw new BadSettingsException(
          "%s is not a data set on the hub; write hf:datasets/owner/name, or"
              + " hf:datasets/owner/name@revision/path.",
          address);
    }
    String revision = matcher.group(2) == null ? HubRepository.MAIN : matcher.group(2);
    return new HubDataset(
        new HubRepository(HubRepository.DATASETS, matcher.group(1), revision, settings),
        matcher.group(3));
  }

  /**
   * The files, fetched where they are not here.
   *
   * @throws BadInputException if there are none, or the hub cannot be asked
   */
  public List<Path> fetch(DownloadListener listener) {
    required(listener, "listener");

    hub.requireOnline();
    HttpFiles server = new HttpFiles(hub.settings(), listener);
    JsonNode listing = server.json(api(), "the list of files of " + hub.name());
    String commit = listing.path("sha").asText();
    if (!commit.matches("[0-9a-f]{40}")) {
      throw new BadFileException(
          "%s does not answer as a hub does: it names no commit; check HF_ENDPOINT.",
          hub.settings().endpoint());
    }
    List<Path> files = new ArrayList<>();
    for (String file : chosen(names(listing))) {
      files.add(
          hub.get(server, commit, file)
              .orElseThrow(() -> new BadFileException("%s of %s is gone.", file, hub.name())));
    }
    LocalFiles.write(hub.ref(), commit);
    return files;
  }

  private URI api() {
    return URI.create(
        hub.settings().endpoint()
            + "/api/datasets/"
            + hub.repository()
            + "/revision/"
            + hub.revision());
  }

  /** Names of all files. They come from a server: none may lead out of the folder. */
  private List<String> names(JsonNode listing) {
    List<String> names = new ArrayList<>();
    for (JsonNode sibling : listing.path("siblings")) {
      String name = sibling.path("rfilename").asText();
      for (String part : name.split("/", -1)) {
        if (part.isBlank() || part.matches("[.]{1,2}") || part.matches(".*[\\\\:\\p{Cntrl}].*")) {
          throw new BadFileException("%s has a file with the unsafe name '%s'.", hub.name(), name);
        }
      }
      names.add(name);
    }
    return names;
  }

  private List<String> chosen(List<String> all) {
    List<String> files = all.stream().filter(wanted()).sorted().toList();
    if (files.isEmpty()) {
      throw new BadFileException(
          "%s has no file of rows%s; it has %s.",
          hub.name(), path == null ? "" : " at " + path, all.stream().limit(20).toList());
    }
    if (path != null) {
      return files;
    }
    List<String> train = files.stream().filter(file -> TRAIN.matcher(file).find()).toList();
    List<String> chosen =
        train.isEmpty()
            ? files.stream().filter(file -> !OTHER.matcher(file).find()).toList()
            : train;
    TreeSet<String> folders = new TreeSet<>();
    chosen.forEach(file -> folders.add(file.substring(0, file.lastIndexOf('/') + 1)));
    if (folders.size() > 1 || chosen.isEmpty()) {
      throw new BadSettingsException(
          "%s has several sets of rows; name one by its path, such as hf:datasets/%s/%s.",
          hub.name(), hub.name(), (chosen.isEmpty() ? files : chosen).get(0));
    }
    return chosen;
  }

  private Predicate<String> wanted() {
    if (path == null) {
      return file -> ROWS.matcher(file).matches() && !isMetadata(file);
    }
    String folder = path.endsWith("/") ? path : path + "/";
    PathMatcher matcher = FileSystems.getDefault().getPathMatcher("glob:" + path);
    return file ->
        file.equals(path)
            || matcher.matches(Path.of(file))
            || (file.startsWith(folder) && ROWS.matcher(file).matches());
  }

  /** Files that describe others. */
  private static boolean isMetadata(String file) {
    String name = file.substring(file.lastIndexOf('/') + 1).toLowerCase(Locale.ROOT);
    return name.startsWith(".") || name.matches("dataset_infos?[.]json|.*config.*[.]json");
  }
}
