//! Names that sound right: surnames by frequency, given names of one or two characters, and the rarer forms a roster
//! must survive (compound surnames, names with a middle dot, characters off the common list, Latin names).

use crate::chance::Chance;

/// Surname and weight, roughly as common as in China.
const SURNAMES: &[(&str, u32)] = &[
    ("王", 710),
    ("李", 705),
    ("张", 675),
    ("刘", 510),
    ("陈", 450),
    ("杨", 300),
    ("黄", 220),
    ("赵", 205),
    ("吴", 200),
    ("周", 195),
    ("徐", 145),
    ("孙", 140),
    ("马", 130),
    ("朱", 125),
    ("胡", 120),
    ("郭", 115),
    ("何", 110),
    ("林", 108),
    ("高", 100),
    ("罗", 95),
    ("郑", 92),
    ("梁", 88),
    ("谢", 76),
    ("宋", 73),
    ("唐", 68),
    ("许", 66),
    ("韩", 64),
    ("邓", 62),
    ("冯", 62),
    ("曹", 60),
    ("彭", 58),
    ("曾", 57),
    ("肖", 56),
    ("田", 54),
    ("董", 53),
    ("潘", 50),
    ("袁", 50),
    ("蔡", 48),
    ("蒋", 47),
    ("余", 46),
    ("于", 45),
    ("杜", 45),
    ("叶", 44),
    ("程", 44),
    ("魏", 43),
    ("苏", 43),
    ("吕", 42),
    ("丁", 41),
    ("任", 40),
    ("卢", 39),
    ("姚", 38),
    ("沈", 37),
    ("钟", 36),
    ("姜", 35),
    ("崔", 34),
    ("谭", 34),
    ("陆", 33),
    ("范", 32),
    ("汪", 31),
    ("廖", 31),
    ("石", 30),
    ("金", 30),
    ("韦", 28),
    ("贾", 27),
    ("夏", 26),
    ("付", 25),
    ("方", 25),
    ("邹", 24),
    ("熊", 24),
    ("白", 23),
    ("孟", 22),
    ("秦", 22),
    ("邱", 21),
    ("侯", 20),
    ("江", 20),
    ("尹", 19),
    ("薛", 19),
    ("闫", 18),
    ("段", 17),
    ("雷", 17),
    ("龙", 16),
    ("黎", 16),
    ("史", 15),
    ("陶", 15),
    ("贺", 14),
    ("毛", 14),
    ("郝", 14),
    ("顾", 13),
    ("龚", 13),
    ("邵", 13),
    ("万", 12),
    ("覃", 12),
    ("武", 12),
    ("钱", 12),
    ("戴", 11),
    ("严", 11),
    ("莫", 10),
    ("孔", 10),
    ("仇", 3),
    ("单", 4),
    ("解", 4),
    ("区", 2),
    ("查", 3),
    ("尉", 1),
    ("缪", 2),
    ("员", 1),
    ("欧阳", 8),
    ("上官", 2),
    ("诸葛", 2),
    ("司马", 2),
    ("司徒", 2),
    ("皇甫", 1),
    ("尉迟", 1),
    ("令狐", 1),
    ("夏侯", 1),
    ("慕容", 1),
    ("东方", 1),
    ("端木", 1),
    ("澹台", 1),
];

const MALE: &str = "伟强磊军勇涛明超刚平辉鹏华飞鑫波斌宇浩凯健俊帆帅旭宁龙林建国志文海峰杰东成建庆永新立金春德荣亮胜学祥才发武\
    富生元全国泽睿轩博子辰梓豪天佑嘉皓一鸣瑞霖昊然思远景行承宗";
const FEMALE: &str = "芳娜敏静丽艳娟霞秀燕英玲桂兰红梅萍玉洁琳雪慧莹婷佳颖倩琴云莉凤婕璐怡欣悦涵梓萱雨桐诗语思彤若曦可馨\
    一诺子墨晓月春花淑珍惠香素菊爱华文清雅宁梦瑶美琪";
/// Seldom seen, some of them outside GB 2312 and one outside the basic plane: where encodings go wrong.
const RARE: [char; 8] = ['喆', '淼', '犇', '赟', '翀', '頔', '㛃', '𬭎'];

const DOTTED_FIRST: [&str; 8] = ["阿依古丽", "买买提", "古丽娜尔", "艾力", "努尔兰", "阿卜杜拉", "热依汗", "塔依尔"];
const DOTTED_LAST: [&str; 6] = ["吐尔逊", "买合木提", "艾合买提", "库尔班", "沙吾提", "依明"];

const LATIN_GIVEN: [&str; 16] =
    ["James", "Maria", "Takeshi", "Yuki", "Min-jun", "Seo-yeon", "Thomas", "Anna", "Ahmed", "Priya", "Lukas", "Chloé", "Diego", "Olga", "Wei Ming", "O’Neil"];
const LATIN_FAMILY: [&str; 16] =
    ["Smith", "Garcia", "Tanaka", "Suzuki", "Kim", "Park", "Müller", "Dubois", "Hassan", "Sharma", "Novák", "Rossi", "Silva", "Ivanova", "Tan", "van der Berg"];

pub(crate) fn surname(chance: &mut Chance) -> &'static str {
    chance.weighted(SURNAMES)
}

/// One or two characters; names of one character are commoner among those born before 2000.
pub(crate) fn given(chance: &mut Chance, female: bool, birth_year: u16) -> String {
    let short = chance.happens(if birth_year < 2000 { 0.22 } else { 0.08 });
    let mut name = String::with_capacity(6);
    name.push(character(chance, female));
    if !short {
        // Doubled characters (婷婷, 乐乐) come by themselves now and then.
        name.push(character(chance, female));
    }
    name
}

fn character(chance: &mut Chance, female: bool) -> char {
    if chance.happens(0.004) {
        return chance.pick(&RARE);
    }
    let letters = if female { FEMALE } else { MALE };
    // Every character of the lists is three bytes long in UTF-8.
    let at = chance.below((letters.len() / 3) as u32) as usize * 3;
    letters[at..].chars().next().unwrap_or('安')
}

pub(crate) fn dotted(chance: &mut Chance) -> String {
    format!("{}·{}", chance.pick(&DOTTED_FIRST), chance.pick(&DOTTED_LAST))
}

pub(crate) fn latin(chance: &mut Chance) -> String {
    format!("{} {}", chance.pick(&LATIN_GIVEN), chance.pick(&LATIN_FAMILY))
}

const BRAND: [&str; 40] = [
    "启", "明", "瑞", "安", "恒", "泰", "华", "创", "科", "达", "博", "远", "新", "宇", "嘉", "盛", "中", "和", "联", "信", "益", "康", "诺", "源", "正", "天",
    "海", "东", "方", "辰", "云", "智", "微", "芯", "禾", "沃", "力", "聚", "合", "德",
];
const TRADES: [&str; 26] = [
    "生物科技",
    "医疗器械",
    "软件技术",
    "信息科技",
    "电子商务",
    "半导体",
    "智能装备",
    "新材料",
    "检测技术",
    "物流",
    "供应链管理",
    "餐饮管理",
    "物业服务",
    "人力资源",
    "建筑工程",
    "环保科技",
    "汽车零部件",
    "精密机械",
    "文化传媒",
    "教育科技",
    "食品",
    "包装材料",
    "自动化设备",
    "商务咨询",
    "通信设备",
    "家居用品",
];

/// A different name for every enterprise below a million; past the stock of brands a numeral tells them apart.
pub(crate) fn enterprise(seed: u64, index: u32) -> String {
    let stock = (BRAND.len() * BRAND.len() * TRADES.len()) as u64;
    let slot = crate::chance::shuffled(u64::from(index) % stock, stock, 23_747, seed) as usize;
    let (brand, trade) = (slot / TRADES.len(), TRADES[slot % TRADES.len()]);
    let (first, second) = (BRAND[brand / BRAND.len()], BRAND[brand % BRAND.len()]);
    let series = match u64::from(index) / stock {
        0 => String::new(),
        number => format!("第{number}"),
    };
    format!("临江{first}{second}{trade}{series}有限公司")
}

/// Roads of the city; a zone is a park named after one.
pub(crate) const ROADS: [&str; 20] = [
    "浦江", "联航", "江月", "陈行", "沈杜", "三鲁", "恒南", "鲁南", "永跃", "昌林", "万芳", "新骏", "立跃", "召楼", "汇驰", "江柳", "芦恒", "竹园", "科苑",
    "丁香",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Purpose;

    #[test]
    fn lists_hold_characters_of_three_bytes() {
        assert!(MALE.chars().chain(FEMALE.chars()).all(|letter| letter.len_utf8() == 3));
    }

    #[test]
    fn names_keep_their_forms() {
        let mut chance = Chance::new(1, Purpose::Name, 0);
        let names: Vec<String> = (0..4000).map(|_| given(&mut chance, true, 1985)).collect();
        let short = names.iter().filter(|name| name.chars().count() == 1).count();
        assert!((700..1060).contains(&short), "{short} of one character");
        assert!(names.iter().all(|name| (1..=2).contains(&name.chars().count())));
        let compound = (0..20_000).filter(|_| surname(&mut chance).chars().count() == 2).count();
        assert!((20..140).contains(&compound), "{compound} compound surnames");
    }

    #[test]
    fn enterprises_do_not_share_a_name() {
        let names: std::collections::HashSet<String> = (0..80_000).map(|index| enterprise(5, index)).collect();
        assert_eq!(names.len(), 80_000);
    }
}
