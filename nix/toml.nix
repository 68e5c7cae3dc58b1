# TOML from an attribute set, as text: what the module writes can be checked while NixOS is evaluated and needs no
# other program to be made. Strings, numbers, booleans, lists of these, tables; null is left out.
{ lib }:
let
  isTable = value: lib.isAttrs value && !lib.isDerivation value;
  # JSON's escapes are TOML's.
  word = value: builtins.toJSON (if lib.isDerivation value then "${value}" else value);

  table =
    path: settings:
    let
      given = lib.filterAttrs (_: value: value != null) settings;
      keys = lib.filterAttrs (_: value: !isTable value) given;
      tables = lib.filterAttrs (_: isTable) given;
    in
    lib.optional (path != [ ]) "[${lib.concatMapStringsSep "." word path}]"
    ++ lib.mapAttrsToList (name: value: "${word name} = ${word value}") keys
    ++ lib.concatLists (lib.mapAttrsToList (name: table (path ++ [ name ])) tables);
in
settings: lib.concatLines (table [ ] settings)
