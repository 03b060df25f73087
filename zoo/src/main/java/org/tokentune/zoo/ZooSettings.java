package org.tokentune.zoo;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.tokentune.BadSettingsException;

/**
 * Where downloads come from and go to, as Hugging Face's own tools read it from the environment.
 *
 * @param endpoint of the hub
 * @param hubCache folder of models from the hub, as Python's huggingface_hub lays it out
 * @param cache folder of everything else
 * @param token that the hub is shown; null: none
 * @param offline whether the hub may not be asked
 * @param pause before a failed request is repeated, doubled every time
 */
record ZooSettings(
    URI endpoint, Path hubCache, Path cache, String token, boolean offline, Duration pause) {

  private static final Set<String> TRUE = Set.of("1", "ON", "YES", "TRUE");

  static ZooSettings ofEnvironment() {
    return of(System.getenv(), Path.of(System.getProperty("user.home")));
  }

  /**
   * Reads {@code HF_ENDPOINT}, {@code HF_HUB_CACHE}, {@code HF_HOME}, {@code XDG_CACHE_HOME},
   * {@code HF_TOKEN}, else {@code HF_HOME/token}, and {@code HF_HUB_OFFLINE}.
   */
  static ZooSettings of(Map<String, String> environment, Path home) {
    Path caches = path(environment, "XDG_CACHE_HOME", home.resolve(".cache"));
    Path hub = path(environment, "HF_HOME", caches.resolve("huggingface"));
    String offline = environment.getOrDefault("HF_HUB_OFFLINE", "").toUpperCase(Locale.ROOT);
    return new ZooSettings(
        endpoint(environment.getOrDefault("HF_ENDPOINT", "https://huggingface.co")),
        path(environment, "HF_HUB_CACHE", hub.resolve("hub")),
        caches.resolve("tokentune"),
        token(environment, hub),
        TRUE.contains(offline),
        Duration.ofSeconds(1));
  }

  private static Path path(Map<String, String> environment, String name, Path otherwise) {
    String value = environment.getOrDefault(name, "");
    return value.isEmpty() ? otherwise : Path.of(value);
  }

  private static URI endpoint(String text) {
    try {
      URI uri = URI.create(text.replaceFirst("/+$", ""));
      if (HttpFiles.isHttp(uri)) {
        return uri;
      }
    } catch (IllegalArgumentException e) {
      // Said below.
    }
    throw new BadSettingsException(
        "HF_ENDPOINT %s is not an http or https address; correct it.", text);
  }

  private static String token(Map<String, String> environment, Path hub) {
    String token = environment.getOrDefault("HF_TOKEN", "").strip();
    Path file = hub.resolve("token");
    if (token.isEmpty() && Files.isRegularFile(file)) {
      try {
        token = Files.readString(file).strip();
      } catch (IOException e) {
        throw new BadSettingsException(e, "%s cannot be read; check its permissions.", file);
      }
    }
    if (!token.matches("[!-~]*")) {
      throw new BadSettingsException(
          "The hub's token has spaces or characters that are not allowed; correct it.");
    }
    return token.isEmpty() ? null : token;
  }

  /** Without the token. */
  @Override
  public String toString() {
    return String.format(Locale.ROOT, "ZooSettings[%s, %s, %s]", endpoint, hubCache, cache);
  }
}
