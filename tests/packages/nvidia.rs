//! Stand-ins for NVIDIA's packages of release 1.20: the same names, files, relations and install and removal scripts,
//! as far as they affect ours.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::root::{Root, said, text};

/// The package with the runtime, and the one with the hook, by their paths in the root.
pub fn debs(root: &Root) -> (String, String) {
    let folder = root.at("/tmp");
    deb(
        &folder,
        "nvidia-container-toolkit-base",
        "Breaks: nvidia-container-runtime-hook\n",
        &[
            ("usr/bin/nvidia-container-runtime", "#!/bin/sh\n"),
            ("usr/bin/nvidia-ctk", "#!/bin/sh\n"),
            ("usr/bin/nvidia-cdi-hook", "#!/bin/sh\n"),
            (
                "DEBIAN/postinst",
                "#!/bin/sh\nset -e\nconfig=/etc/nvidia-container-runtime/config.toml\nmkdir -p ${config%/*}\n\
             [ -e $config ] || echo 'disable-require = false' > $config\n",
            ),
        ],
    );
    deb(
        &folder,
        "nvidia-container-toolkit",
        "Depends: nvidia-container-toolkit-base (= 1.20.0-1)\n",
        &[
            ("usr/bin/nvidia-container-runtime-hook", "#!/bin/sh\necho published\n"),
            (
                "DEBIAN/postinst",
                "#!/bin/sh\nset -e\ncd /usr/bin\n\
             [ -e nvidia-container-toolkit ] || ln -s nvidia-container-runtime-hook nvidia-container-toolkit\n",
            ),
            (
                "DEBIAN/postrm",
                "#!/bin/sh\nset -e\nlink=/usr/bin/nvidia-container-toolkit\n\
             if [ \"$1\" = purge ] && [ -L $link ]; then rm $link; fi\n",
            ),
        ],
    );
    ("/tmp/nvidia-container-toolkit-base.deb".to_owned(), "/tmp/nvidia-container-toolkit.deb".to_owned())
}

fn deb(folder: &Path, name: &str, relations: &str, files: &[(&str, &str)]) {
    let tree = folder.join(name);
    let control = format!(
        "Package: {name}\nVersion: 1.20.0-1\nArchitecture: all\nMaintainer: nobody <nobody@example.com>\n{relations}\
         Description: a stand-in\n"
    );
    for (path, content) in files.iter().copied().chain([("DEBIAN/control", control.as_str())]) {
        let path = tree.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let package = folder.join(format!("{name}.deb"));
    said("dpkg-deb", &["--root-owner-group", "--build", text(&tree), text(&package)], None);
}

/// The package with the hook for rpm, in a folder of this machine.
pub fn rpm(folder: &Path) -> String {
    let spec = "Name: nvidia-container-toolkit\nVersion: 1.20.0\nRelease: 1\nSummary: a stand-in\nLicense: none\n\
                Obsoletes: nvidia-container-runtime-hook <= 1.4.0-2\nProvides: nvidia-container-runtime-hook\n\
                %description\n%install\nmkdir -p %{buildroot}/usr/bin\n\
                printf '#!/bin/sh\\necho published\\n' > %{buildroot}/usr/bin/nvidia-container-runtime-hook\n\
                chmod 755 %{buildroot}/usr/bin/nvidia-container-runtime-hook\n\
                %posttrans\nln -sf nvidia-container-runtime-hook /usr/bin/nvidia-container-toolkit\n\
                %postun\nif [ \"$1\" = 0 ]; then rm -f /usr/bin/nvidia-container-toolkit; fi\n\
                %files\n/usr/bin/nvidia-container-runtime-hook\n";
    rpm_of(folder, "nvidia-container-toolkit", spec)
}

/// A package of a specification file.
pub fn rpm_of(folder: &Path, name: &str, spec: &str) -> String {
    let place = folder.join(format!("{name}.spec"));
    fs::write(&place, spec).unwrap();
    let topdir = format!("_topdir {}", text(&folder.join("rpmbuild")));
    let words =
        ["--quiet", "-bb", "--target=noarch-linux", "--define", &topdir, "--define", "__os_install_post %{nil}"];
    let format = ["--define", "_build_name_fmt %%{NAME}.rpm", text(&place)];
    said("rpmbuild", &[&words[..], &format].concat(), None);
    text(&folder.join("rpmbuild/RPMS").join(format!("{name}.rpm"))).to_owned()
}
